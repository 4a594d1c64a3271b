using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Learning.Auth;
using Stoa.Platform;
using Stoa.Platform.Http;

namespace Stoa.Learning;

/// <summary>Courses: so far, who may call. No route is mapped yet.</summary>
public static class LearningModule
{
    public static WebApplicationBuilder AddLearning(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddErrorDialect("/learning", FastApiErrors.Instance);
        services.AddSettings<LearningAuthOptions>(LearningAuthOptions.Section);
        services.AddSingleton<IValidateOptions<LearningAuthOptions>, LearningAuthOptionsValidator>();
        services.AddSingleton<LearningTokens>();
        services.AddHostedService<OpenModeWarning>();
        return builder;
    }

    public static IEndpointRouteBuilder MapLearning(this IEndpointRouteBuilder routes) => routes;
}
