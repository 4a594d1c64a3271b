using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Stoa.Platform.Http;

/// <summary>Who may call from a browser. It belongs to the route group, like the way of signing in.</summary>
public static class Cors
{
    private const string AnyOrigin = "tokens";
    private const string ListedOrigins = "cookies";

    /// <summary>A surface whose callers carry a token: any origin, never with cookies.</summary>
    public static TBuilder AllowAnyOrigin<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.RequireCors(AnyOrigin);

    /// <summary>A surface that signs in by cookie: only the origins of <c>Stoa__CorsOrigins</c>.</summary>
    public static TBuilder AllowListedOrigins<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.RequireCors(ListedOrigins);

    internal static void AddPolicies(IServiceCollection services, IEnumerable<string> origins) => services.AddCors(cors =>
    {
        cors.AddPolicy(AnyOrigin, policy => policy
            .AllowAnyOrigin().AllowAnyMethod().AllowAnyHeader().WithExposedHeaders("*").SetPreflightMaxAge(TimeSpan.FromDays(1)));
        cors.AddPolicy(ListedOrigins, policy => policy
            .WithOrigins([.. origins]).AllowAnyMethod().AllowAnyHeader().AllowCredentials()
            .WithExposedHeaders(RequestIds.Header, "Retry-After").SetPreflightMaxAge(TimeSpan.FromHours(1)));
    });
}
