using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Stoa.Gateway;

/// <summary>One door to every model: agents, providers, limits, usage and cost.</summary>
public static class GatewayModule
{
    public static WebApplicationBuilder AddGateway(this WebApplicationBuilder builder) => builder;

    public static IEndpointRouteBuilder MapGateway(this IEndpointRouteBuilder routes) => routes;
}
