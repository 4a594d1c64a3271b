using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Stoa.Feedback;

/// <summary>Not built yet: the module adds nothing and maps nothing.</summary>
public static class FeedbackModule
{
    public static WebApplicationBuilder AddFeedback(this WebApplicationBuilder builder) => builder;

    public static IEndpointRouteBuilder MapFeedback(this IEndpointRouteBuilder routes) => routes;
}
