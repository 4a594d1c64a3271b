using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>What was done in the organization that matters to its safety, for its admins to read.</summary>
internal static class AuditRoutes
{
    public const string Path = "/console/audit";

    public static void MapAuditPage(this IEndpointRouteBuilder routes) =>
        routes.MapForms(Path).ForSignedIn(MemberRole.Admin)
            .MapGet("", ([FromQuery] Guid? after = null) => FormPages.Show<Audit>((nameof(Audit.After), after)));
}
