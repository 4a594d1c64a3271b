using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

internal static class KeysApi
{
    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/keys").WithTags("Keys").RequireCaller(MemberRole.Admin);
        group.MapGet("/", ListAsync).WithSummary("List the organization's API keys");
        group.MapPost("/", CreateAsync).WithSummary("Create an API key; its token is shown once");
        group.MapGet("/{id:guid}", GetAsync).WithSummary("Read an API key");
        group.MapDelete("/{id:guid}", RevokeAsync).WithSummary("Revoke an API key");
        group.MapPost("/{id:guid}/rotate", RotateAsync).WithSummary("Replace an API key; the old one works until the overlap ends");
    }

    internal static async Task<Ok<Listing<KeyRow>>> ListAsync(
        Caller caller, KeyStore keys, CancellationToken ct, Guid? after = null, int limit = 50) =>
        TypedResults.Ok(await Listing.ReadAsync(limit, most => keys.ListAsync(caller.OrganizationId, after, most, ct), key => key.Id));

    internal static async Task<Created<CreatedKey>> CreateAsync(
        KeyRequest request, Caller caller, KeyStore keys, TimeProvider time, CancellationToken ct)
    {
        var terms = request.ToTerms();
        Failure.ThrowIfAny(terms.Check(time.GetUtcNow()));
        return Created(await keys.CreateAsync(caller.OrganizationId, terms, caller.Actor, ct));
    }

    internal static async Task<Ok<KeyRow>> GetAsync(Guid id, Caller caller, KeyStore keys, CancellationToken ct) =>
        TypedResults.Ok(await keys.FindAsync(caller.OrganizationId, id, ct) ?? throw Failure.NotFound("Key"));

    internal static async Task<NoContent> RevokeAsync(Guid id, Caller caller, KeyStore keys, CancellationToken ct)
    {
        await keys.RevokeAsync(caller.OrganizationId, id, caller.Actor, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Created<CreatedKey>> RotateAsync(
        Guid id, RotationTerms terms, Caller caller, KeyStore keys, CancellationToken ct)
    {
        Failure.ThrowIfAny(terms.Check());
        return Created(await keys.RotateAsync(caller.OrganizationId, id, terms.Overlap, caller.Actor, ct));
    }

    private static Created<CreatedKey> Created(NewKey made) =>
        TypedResults.Created($"/api/stoa/keys/{made.Row.Id}", new CreatedKey(made.Row, made.Token));

    /// <param name="PrincipalId">The program that the key belongs to; it ends with it.</param>
    internal sealed record KeyRequest(
        string? Name,
        bool IsAdmin = false,
        IReadOnlyList<string>? Models = null,
        IReadOnlyList<string>? Providers = null,
        int? RequestsPerMinute = null,
        int? TokensPerMinute = null,
        DateTimeOffset? ExpiresAt = null,
        Guid? PrincipalId = null)
    {
        public KeyTerms ToTerms() =>
            new((Name ?? "").Trim(), IsAdmin, Models, Providers, RequestsPerMinute, TokensPerMinute, ExpiresAt, PrincipalId);
    }

    internal sealed record CreatedKey(KeyRow Key, string Token);
}
