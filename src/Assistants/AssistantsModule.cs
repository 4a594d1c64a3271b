using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Stoa.Assistants;

/// <summary>Not built yet: the module adds nothing and maps nothing.</summary>
public static class AssistantsModule
{
    public static WebApplicationBuilder AddAssistants(this WebApplicationBuilder builder) => builder;

    public static IEndpointRouteBuilder MapAssistants(this IEndpointRouteBuilder routes) => routes;
}
