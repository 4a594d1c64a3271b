using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace Stoa.Platform.Identity;

/// <summary>What was done in the organization that matters to its safety, newest first. Nothing here is ever changed.</summary>
internal static class AuditApi
{
    public static void MapAudit(this IEndpointRouteBuilder routes) => routes.MapGet("/audit", ListAsync).WithTags("Audit")
        .RequireCaller(MemberRole.Admin).WithSummary("List security-relevant acts, newest first");

    internal static async Task<Ok<Listing<AuditEntry>>> ListAsync(
        Caller caller, IdentityDb db, CancellationToken ct, Guid? after = null, int limit = 50)
    {
        var own = db.Audit.AsNoTracking().Where(entry => entry.OrganizationId == caller.OrganizationId && (after == null || entry.Id < after));
        return TypedResults.Ok(await Listing<AuditEntry>.ReadAsync(
            limit, most => own.OrderByDescending(entry => entry.Id).Take(most).ToListAsync(ct), entry => entry.Id));
    }
}
