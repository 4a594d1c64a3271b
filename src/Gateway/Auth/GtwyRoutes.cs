using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Auth;

/// <summary>The route groups of GTWY's wire: who may call, how failures are worded.</summary>
internal static class GtwyRoutes
{
    /// <summary>Routes that configure and look up.</summary>
    public static RouteGroupBuilder MapGtwyManagement(this IEndpointRouteBuilder routes, string path = "") => routes.MapGroup(path)
        .WithGroupName("gateway").WithErrors(ManagementErrors.Instance).AllowAnyOrigin().RequireGtwyCaller(alsoPauthToken: true);
}
