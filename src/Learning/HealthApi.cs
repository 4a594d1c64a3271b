using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;

namespace Stoa.Learning;

internal static class HealthApi
{
    public static void MapHealth(this IEndpointRouteBuilder routes) => routes.MapMethods("/health", [HttpMethods.Get, HttpMethods.Head], Ok)
        .WithTags("health").WithSummary("Whether the server answers").AllowAnyone();

    internal static Ok<Health> Ok() => TypedResults.Ok(new Health("ok"));

    internal sealed record Health(string Status);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HealthApi.Health))]
internal sealed partial class HealthJson : JsonSerializerContext;
