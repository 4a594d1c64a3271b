using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Stoa.Platform.Http;

public static class OwnApi
{
    /// <summary>The group of our own API, <c>/api/stoa</c>: its document, its errors, its origins. Each route still says who may call it.</summary>
    public static RouteGroupBuilder MapOwnApi(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("/api/stoa").WithGroupName("stoa").WithErrors(ProblemErrors.Instance).AllowListedOrigins();

    /// <summary>Lets routes read and write the types of this source-generated context.</summary>
    public static IServiceCollection AddJson(this IServiceCollection services, JsonSerializerContext context) =>
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, context);
        });
}
