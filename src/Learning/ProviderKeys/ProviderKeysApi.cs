using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.ProviderKeys;

/// <summary>A school's own keys of model providers: its calls are made with them, and nobody else's.</summary>
internal static class ProviderKeysApi
{
    public static void MapProviderKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/organizations/{org_id}/provider_keys").WithTags("provider keys");
        keys.MapGet("", ListAsync).RequireLearner().WithSummary("List the organization's own keys of model providers, masked");
        keys.MapPut("/{provider}", PutAsync).RequireLearner().WithSummary("Keep a key of a model provider, once the provider knows it");
        keys.MapDelete("/{provider}", RemoveAsync).RequireLearner().WithSummary("Forget a key of a model provider");
    }

    internal static async Task<Ok<List<KeyView>>> ListAsync(
        Access access, [FromRoute(Name = "org_id")] int orgId, LearningDb db, IModelKeys keys, CancellationToken ct)
    {
        var found = await OrganizationAsync(access, orgId, db, ct) is { } organization ? await keys.ListAsync(organization, ct) : [];
        return TypedResults.Ok(found.Select(KeyView.Of).ToList());
    }

    internal static async Task<Ok<KeyView>> PutAsync(
        Access access, [FromRoute(Name = "org_id")] int orgId,
        [FromRoute(Name = "provider")] string provider, Body<NewKey> body, LearningDb db,
        IModelKeys keys, CancellationToken ct)
    {
        var organization = await OrganizationAsync(access, orgId, db, ct)
            ?? throw Refusal.BadRequest("Another organization pays for this one, and its keys are used");
        try
        {
            return TypedResults.Ok(KeyView.Of(await keys.PutAsync(organization, provider, body.Value.Key, ct)));
        }
        catch (Failure failure) when (failure.Kind == FailureKind.Invalid)
        {
            throw Refusal.BadRequest(failure.Message);
        }
    }

    internal static async Task<Ok<Success>> RemoveAsync(
        Access access, [FromRoute(Name = "org_id")] int orgId,
        [FromRoute(Name = "provider")] string provider, LearningDb db, IModelKeys keys,
        CancellationToken ct) =>
        await OrganizationAsync(access, orgId, db, ct) is { } organization && await keys.RemoveAsync(organization, provider, ct)
            ? TypedResults.Ok(Success.Instance)
            : throw Failure.NotFound("Key");

    /// <summary>Null where another organization pays: its keys are its own matter.</summary>
    private static async Task<Guid?> OrganizationAsync(Access access, int orgId, LearningDb db, CancellationToken ct)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireAdmin();
        return await db.Organizations.Where(organization => organization.Id == orgId)
            .Select(organization => organization.IsPaidFor ? (Guid?)null : organization.OrganizationId).FirstOrDefaultAsync(ct);
    }

    internal sealed record NewKey
    {
        public required string Key { get; init; }
    }

    internal sealed record KeyView(
        string Provider, string Mask, string Status, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset UpdatedAt)
    {
        public static KeyView Of(ModelKey key) => new(key.Service, key.Mask, key.Status, key.UpdatedAt);
    }
}
