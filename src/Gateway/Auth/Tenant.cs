using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Auth;

/// <summary>Who calls a route of GTWY's wire, and for which organization of ours: every query has its id.</summary>
internal sealed record Tenant(Guid OrganizationId, GtwyCaller Caller)
{
    public static async ValueTask<Tenant?> BindAsync(HttpContext context)
    {
        var caller = (await context.SurfaceCaller<GtwyCaller>())!;
        return new(caller.OrganizationId, caller);
    }

    /// <summary>For what belongs to no agent: viewers may not.</summary>
    /// <exception cref="Failure">Forbidden.</exception>
    public void RequireEditor()
    {
        if (Caller.Role == GtwyRole.Viewer)
        {
            throw NoAccess();
        }
    }

    /// <summary>For an agent: a viewer must be among its editors, an editor too unless it names none.</summary>
    /// <exception cref="Failure">Forbidden.</exception>
    public void RequireEditor(IReadOnlyCollection<string> editors)
    {
        var isNamed = Caller.UserId is { } user && editors.Contains(user);
        if (Caller.Role != GtwyRole.Admin && !isNamed && (Caller.Role == GtwyRole.Viewer || editors.Count > 0))
        {
            throw Failure.Forbidden("You don't have access to update this agent");
        }
    }

    public void RequireAdmin()
    {
        if (Caller.Role != GtwyRole.Admin)
        {
            throw NoAccess();
        }
    }

    public void RequireOperator()
    {
        if (OrganizationId != Organization.DefaultId || Caller.Role != GtwyRole.Admin)
        {
            throw Failure.Forbidden("Access denied: you are not authorized for this action");
        }
    }

    /// <summary>For something that is not there: whoever may change nothing learns nothing of it either.</summary>
    public Failure Missing(Failure missing) => Caller.Role == GtwyRole.Viewer ? NoAccess() : missing;

    private static Failure NoAccess() => Failure.Forbidden("You don't have access");
}
