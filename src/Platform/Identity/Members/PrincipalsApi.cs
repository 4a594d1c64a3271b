using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Members that are no people: a program each, with keys that end with it.</summary>
internal static class PrincipalsApi
{
    public static void MapPrincipals(this IEndpointRouteBuilder routes)
    {
        var principals = routes.MapGroup("/principals").WithTags("Principals").RequireCaller(MemberRole.Admin);
        principals.MapGet("/", ListAsync).WithSummary("List the programs that are members");
        principals.MapPost("/", CreateAsync).WithSummary("Make a program a member; keys for it are made with its id");
        principals.MapDelete("/{id:guid}", RemoveAsync).WithSummary("Remove a program; its keys are revoked");
    }

    internal static async Task<Ok<Listing<Principal>>> ListAsync(
        Caller caller, IdentityDb db, CancellationToken ct, Guid? after = null, int limit = 50)
    {
        var own = db.Principals.AsNoTracking()
            .Where(principal => principal.OrganizationId == caller.OrganizationId && principal.RemovedAt == null);
        return TypedResults.Ok(await Listing.ReadAsync(
            limit,
            most => own.Where(principal => after == null || principal.Id > after)
            .OrderBy(principal => principal.Id).Take(most).ToListAsync(ct),
            principal => principal.Id));
    }

    internal static async Task<Created<Principal>> CreateAsync(
        PrincipalRequest request, Caller caller, IdentityDb db, TimeProvider time, CancellationToken ct)
    {
        OrganizationTerms.CheckName(request.Name);
        var now = time.GetUtcNow();
        var made = new Principal
        {
            Id = Guid.CreateVersion7(now), OrganizationId = caller.OrganizationId, Name = request.Name.Trim(), CreatedAt = now,
        };
        db.Principals.Add(made);
        db.Note(time, caller.Actor, "principal.create", $"principal:{made.Id}", caller.OrganizationId);
        await db.SaveChangesAsync(ct);
        return TypedResults.Created((string?)null, made);
    }

    internal static async Task<NoContent> RemoveAsync(Guid id, Caller caller, IdentityDb db, TimeProvider time, CancellationToken ct)
    {
        var (now, organization) = (time.GetUtcNow(), caller.OrganizationId);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var principal =
            await db.Principals.FirstOrDefaultAsync(principal => principal.Id == id && principal.OrganizationId == organization, ct)
            ?? throw Failure.NotFound("Principal");
        if (principal.RemovedAt is null)
        {
            principal.RemovedAt = now;
            db.Note(time, caller.Actor, "principal.remove", $"principal:{id}", organization);
            await db.SaveChangesAsync(ct);
            await db.Database.ExecuteSqlAsync(
                $"update platform.api_keys set revoked_at = {now} where principal_id = {id} and organization_id = {organization} and revoked_at is null", ct);
        }
        await transaction.CommitAsync(ct);
        return TypedResults.NoContent();
    }

    internal sealed record PrincipalRequest(string? Name);
}
