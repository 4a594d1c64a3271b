using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Integrations;

/// <summary>A person's accounts at other services. Nobody but he reads his tokens; they are sealed where they are kept.</summary>
internal static class IntegrationsApi
{
    public static void MapIntegrations(this IEndpointRouteBuilder routes)
    {
        var integrations = routes.MapGroup("/integrations").WithTags("integrations").RequireLearner();
        integrations.MapPost("/", SaveAsync).WithSummary("Connect another service, or connect it anew");
        integrations.MapGet("/", ListAsync).WithSummary("List one's own integrations");
        integrations.MapDelete("/", DeleteByTypeAsync).WithSummary("Disconnect another service by its name");
        integrations.MapGet("/{integration_id}", GetAsync).WithSummary("Read an integration");
        integrations.MapPut("/{integration_id}", UpdateAsync).WithSummary("Renew the tokens of an integration; null keeps");
        integrations.MapDelete("/{integration_id}", DeleteAsync).WithSummary("Disconnect another service");
    }

    internal static async Task<Ok<IntegrationView>> SaveAsync(
        Body<NewIntegration> body, Access access, IntegrationStore integrations, CancellationToken ct)
    {
        (await access.CallerAsync(ct)).RequireSelf(body.Value.UserId);
        return TypedResults.Ok(await integrations.SaveAsync(body.Value, ct) ?? throw Failure.NotFound("User"));
    }

    internal static async Task<Ok<List<IntegrationView>>> ListAsync(
        Access access, IntegrationStore integrations, CancellationToken ct, [FromQuery(Name = "user_id")] int? userId = null)
    {
        var standing = await access.CallerAsync(ct);
        var owner = userId ?? standing.RequireUser();
        standing.RequireSelf(owner);
        return TypedResults.Ok(await integrations.ListAsync(owner, ct));
    }

    internal static async Task<Ok<Success>> DeleteByTypeAsync(
        Body<IntegrationName> body, Access access, IntegrationStore integrations, CancellationToken ct)
    {
        (await access.CallerAsync(ct)).RequireSelf(body.Value.UserId);
        await integrations.DeleteAsync(body.Value.UserId, body.Value.IntegrationType, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<IntegrationView>> GetAsync(
        [FromRoute(Name = "integration_id")] int id, Access access, IntegrationStore integrations, CancellationToken ct) =>
        TypedResults.Ok(await integrations.FindAsync(await OwnerAsync(access, ct), id, ct) ?? throw Failure.NotFound("Integration"));

    internal static async Task<Ok<IntegrationView>> UpdateAsync(
        [FromRoute(Name = "integration_id")] int id, Body<NewTokens> body,
        Access access, IntegrationStore integrations, CancellationToken ct) =>
        TypedResults.Ok(await integrations.UpdateAsync(await OwnerAsync(access, ct), id, body.Value, ct)
            ?? throw new Failure(FailureKind.NotFound, "not_found", "Integration not found or not updated"));

    internal static async Task<Ok<Success>> DeleteAsync(
        [FromRoute(Name = "integration_id")] int id, Access access, IntegrationStore integrations, CancellationToken ct) =>
        await integrations.DeleteAsync(await OwnerAsync(access, ct), id, ct)
            ? TypedResults.Ok(Success.Instance)
            : throw new Failure(FailureKind.NotFound, "not_found", "Integration not found or not deleted");

    /// <summary>Whose integrations the caller may touch; null for everybody's, in the mode Open.</summary>
    private static async Task<int?> OwnerAsync(Access access, CancellationToken ct)
    {
        var standing = await access.CallerAsync(ct);
        return standing.IsOpen ? null : standing.RequireUser();
    }

    internal sealed record NewIntegration
    {
        public required int UserId { get; init; }

        public required string IntegrationType { get; init; }

        public required string AccessToken { get; init; }

        public string? RefreshToken { get; init; }

        public DateTimeOffset? ExpiresAt { get; init; }
    }

    internal sealed record NewTokens
    {
        public string? AccessToken { get; init; }

        public string? RefreshToken { get; init; }

        public DateTimeOffset? ExpiresAt { get; init; }
    }

    internal sealed record IntegrationName
    {
        public required int UserId { get; init; }

        public required string IntegrationType { get; init; }
    }

    internal sealed record IntegrationView(
        int Id, int UserId, string IntegrationType, string AccessToken, string? RefreshToken,
        [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? ExpiresAt,
        [property: JsonConverter(typeof(WireNaiveInstant))] DateTimeOffset CreatedAt);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(IntegrationsApi.NewIntegration))]
[JsonSerializable(typeof(IntegrationsApi.NewTokens))]
[JsonSerializable(typeof(IntegrationsApi.IntegrationName))]
[JsonSerializable(typeof(List<IntegrationsApi.IntegrationView>))]
internal sealed partial class IntegrationsJson : JsonSerializerContext;
