using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Accounts;

/// <summary>Who calls with a session alone (<c>proxy_auth_token</c>), as on the routes of the original's identity service.</summary>
internal sealed record GtwySession(Session Session, SignedInPerson Person)
{
    private static readonly AccessScheme Scheme = new("gtwy_session", AccessPlace.Header, "proxy_auth_token");
    private static readonly AccessRule Rule = new("gtwy_session", Scheme);
    private static readonly AccessRule AdminRule = new("gtwy_session_admin", Scheme);

    /// <exception cref="Failure">Not found: the person is in no organization, or in none at this moment.</exception>
    public OwnOrganization Organization => Session.Organization ?? throw Failure.NotFound("Organization");

    public static ValueTask<GtwySession?> BindAsync(HttpContext context) => context.SurfaceCaller<GtwySession>();

    public static RouteGroupBuilder MapGroup(IEndpointRouteBuilder routes, string path) => routes.MapGroup(path)
        .WithGroupName("gateway").WithTags("Accounts").WithErrors(ManagementErrors.Instance)
        .AllowAnyOrigin().RequireSurfaceCaller(Rule, FindAsync);

    /// <summary>One route that is for admins of the organization alone.</summary>
    public static RouteHandlerBuilder ForAdmins(RouteHandlerBuilder route) => route.RequireSurfaceCaller(AdminRule, FindAdminAsync);

    private static async ValueTask<GtwySession> FindAdminAsync(HttpContext context)
    {
        var found = await FindAsync(context);
        Caller.Of(found.Session).Require(MemberRole.Admin);
        return found;
    }

    private static async ValueTask<GtwySession> FindAsync(HttpContext context)
    {
        var token = context.Request.SingleHeader("proxy_auth_token");
        var session = token is null ? null
            : await context.RequestServices.GetRequiredService<SessionCache>().FindAsync(token, context.RequestAborted);
        return session?.Person is { } person ? new(session, person) : throw Failure.Unauthenticated("unauthorized user");
    }
}
