using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Auth;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Configuration;

/// <summary>
/// Routes that change what runs are made of. The others hear of a change by the feed; the host that answers knows of it before it answers.
/// </summary>
internal static class OwnChanges
{
    public static RouteGroupBuilder MapConfiguring(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("");
        group.AddEndpointFilter(async (context, next) =>
        {
            var answer = await next(context);
            if (!HttpMethods.IsGet(context.HttpContext.Request.Method)
                && await context.HttpContext.SurfaceCaller<GtwyCaller>() is { } caller)
            {
                context.HttpContext.RequestServices.GetRequiredService<AgentConfigurations>().Forget(caller.OrganizationId);
            }
            return answer;
        });
        return group;
    }
}
