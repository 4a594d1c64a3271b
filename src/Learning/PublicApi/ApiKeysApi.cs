using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.PublicApi;

/// <summary>A school's keys, for those who run it. The original has no routes for them.</summary>
internal static class ApiKeysApi
{
    private const int MostName = 200;

    public static void MapApiKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/organizations/{org_id}/api_keys").WithTags("organizations").RequireLearner();
        keys.MapPost("/", CreateAsync).WithSummary("Make a key for the public API; it is shown this once");
        keys.MapGet("/", ListAsync).WithSummary("List the keys of a school");
        keys.MapDelete("/{key_id}", RevokeAsync).WithSummary("Revoke a key");
    }

    internal static async Task<Ok<NewKey>> CreateAsync(
        [FromRoute(Name = "org_id")] int orgId, Body<KeyTerms> body, Access access, OrganizationKeys keys, CancellationToken ct)
    {
        var standing = await access.OrganizationAsync(orgId, ct);
        standing.RequireAdmin();
        var name = body.Value.Name ?? "";
        if (name.Length > MostName)
        {
            throw WireErrors.Value($"name must have at most {MostName} characters", "name");
        }
        var (row, key) = await keys.AddAsync(orgId, name, standing.UserId, ct);
        return TypedResults.Ok(new NewKey(row.Id, row.Name, key, row.CreatedAt));
    }

    internal static async Task<Ok<List<KeyView>>> ListAsync(
        [FromRoute(Name = "org_id")] int orgId, Access access, OrganizationKeys keys, [AsParameters] Page page, CancellationToken ct)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireAdmin();
        var rows = await keys.ListAsync(orgId, page, ct);
        return TypedResults.Ok(rows.ConvertAll(row => new KeyView(row.Id, row.Name, row.CreatedBy, row.CreatedAt, row.LastUsedAt)));
    }

    internal static async Task<Ok<Success>> RevokeAsync(
        [FromRoute(Name = "org_id")] int orgId, [FromRoute(Name = "key_id")] int id,
        Access access, OrganizationKeys keys, CancellationToken ct)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireAdmin();
        return await keys.RevokeAsync(orgId, id, ct) ? TypedResults.Ok(Success.Instance) : throw Failure.NotFound("API key");
    }

    internal sealed record KeyTerms
    {
        public string? Name { get; init; }
    }

    internal sealed record NewKey(
        int Id, string Name, string ApiKey, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset CreatedAt);

    internal sealed record KeyView(
        int Id, string Name, int? CreatedBy, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset CreatedAt,
        [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? LastUsedAt);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ApiKeysApi.KeyTerms))]
[JsonSerializable(typeof(ApiKeysApi.NewKey))]
[JsonSerializable(typeof(List<ApiKeysApi.KeyView>))]
[JsonSerializable(typeof(ChatHistory.Line))]
[JsonSerializable(typeof(PublicCourse))]
internal sealed partial class PublicApiJson : JsonSerializerContext;
