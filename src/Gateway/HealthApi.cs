using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway;

/// <summary>The paths by which GTWY's load balancers look after it; <c>/healthz</c> and <c>/readyz</c> say more.</summary>
internal static class HealthApi
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("").WithGroupName("gateway").WithTags("Health")
            .WithErrors(RuntimeErrors.Instance).AllowAnyOrigin().AllowAnyone();
        health.MapGet("/healthcheck", Alive).WithSummary("200 while the process lives");
        health.MapGet("/ready", Ready).WithSummary("200 until the process shuts down");
    }

    internal static Ok<JsonObject> Alive() => TypedResults.Ok(new JsonObject { ["status"] = "OK running good... v1.2" });

    internal static JsonHttpResult<JsonObject> Ready(Drain drain) => drain.IsDraining
        ? TypedResults.Json(new JsonObject { ["status"] = "shutting down" },
            GatewayJson.Default.JsonObject, statusCode: StatusCodes.Status503ServiceUnavailable)
        : TypedResults.Json(new JsonObject { ["status"] = "ready" }, GatewayJson.Default.JsonObject);
}
