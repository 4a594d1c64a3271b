using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>What was done in the organization that matters to its safety, newest first. Nothing here is ever changed.</summary>
internal static class AuditApi
{
    public static void MapAudit(this IEndpointRouteBuilder routes) => routes.MapGet("/audit", ListAsync).WithTags("Audit")
        .RequireCaller(MemberRole.Admin).WithSummary("List security-relevant acts, newest first");

    internal static async Task<Ok<Listing<AuditEntry>>> ListAsync(
        Caller caller, AuditLog audit, CancellationToken ct, Guid? after = null, int limit = 50) =>
        TypedResults.Ok(await Listing.ReadAsync(limit, most => audit.ListAsync(caller, after, most, ct), entry => entry.Id));
}
