using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

internal static class KeysApi
{
    private const int MaxPage = 200;

    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/keys").WithTags("Keys").RequireCaller(MemberRole.Admin);
        group.MapGet("/", ListAsync).WithSummary("List the organization's API keys");
        group.MapPost("/", CreateAsync).WithSummary("Create an API key; its token is shown once");
        group.MapGet("/{id:guid}", GetAsync).WithSummary("Read an API key");
        group.MapDelete("/{id:guid}", RevokeAsync).WithSummary("Revoke an API key");
        group.MapPost("/{id:guid}/rotate", RotateAsync).WithSummary("Replace an API key; the old one works until the overlap ends");
    }

    internal static async Task<Ok<KeyPage>> ListAsync(
        Caller caller, KeyStore keys, CancellationToken ct, Guid? after = null, int limit = 50)
    {
        if (limit is < 1 or > MaxPage)
        {
            throw Failure.Invalid($"limit must be between 1 and {MaxPage}", "limit");
        }
        var rows = await keys.ListAsync(caller.OrganizationId, after, limit + 1, ct);
        var hasMore = rows.Count > limit;
        var items = rows.Take(limit).ToList();
        return TypedResults.Ok(new KeyPage(items, hasMore ? items[^1].Id : null));
    }

    internal static async Task<Created<CreatedKey>> CreateAsync(
        KeyRequest request, Caller caller, KeyStore keys, TimeProvider time, CancellationToken ct)
    {
        var terms = request.ToTerms();
        Throw(terms.Check(time.GetUtcNow()));
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
        Throw(terms.Check());
        return Created(await keys.RotateAsync(caller.OrganizationId, id, terms.Overlap, caller.Actor, ct));
    }

    private static Created<CreatedKey> Created(NewKey made) =>
        TypedResults.Created($"/api/stoa/keys/{made.Row.Id}", new CreatedKey(made.Row, made.Token));

    private static void Throw(IEnumerable<FieldError> errors)
    {
        if (errors.ToList() is { Count: > 0 } found)
        {
            throw new Failure(FailureKind.Invalid, "invalid_request", found[0].Message, found);
        }
    }

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

    /// <param name="Next">Give it as <c>after</c> to read on; null on the last page.</param>
    internal sealed record KeyPage(IReadOnlyList<KeyRow> Items, Guid? Next);

    internal sealed record CreatedKey(KeyRow Key, string Token);
}
