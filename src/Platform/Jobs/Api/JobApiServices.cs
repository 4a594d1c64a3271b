using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs.Pages;
using Stoa.Platform.Pages;

namespace Stoa.Platform.Jobs.Api;

/// <summary>The outer side of jobs: routes, watchers, pages.</summary>
public static class JobApiServices
{
    internal static IServiceCollection AddJobsApi(this IServiceCollection services)
    {
        services.AddSingleton<JobWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<JobWatch>());
        services.AddSingleton<JobEvents>();
        services.AddSingleton(new NavigationEntry("Jobs", JobPages.Path));
        services.AddJson(JobsJson.Default);
        return services;
    }

    /// <summary>The routes below <c>/api/stoa/jobs</c>, and what the buttons below <c>/console/jobs</c> post to.</summary>
    public static IEndpointRouteBuilder MapJobsApi(this IEndpointRouteBuilder routes)
    {
        routes.MapJobs();
        routes.MapJobHealth();
        routes.MapJobPages();
        return routes;
    }
}
