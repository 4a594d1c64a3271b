using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Stoa.Learning;

/// <summary>Not built yet: the module adds nothing and maps nothing.</summary>
public static class LearningModule
{
    public static WebApplicationBuilder AddLearning(this WebApplicationBuilder builder) => builder;

    public static IEndpointRouteBuilder MapLearning(this IEndpointRouteBuilder routes) => routes;
}
