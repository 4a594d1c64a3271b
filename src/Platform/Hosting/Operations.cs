using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Telemetry;

namespace Stoa.Platform.Hosting;

/// <summary>The routes that machines watch: alive, ready, measured.</summary>
internal static class Operations
{
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").WithGroupName("stoa").WithTags("Operations").AllowAnyone();
        group.MapGet("/healthz", Alive).WithSummary("200 while the process lives");
        group.MapGet("/readyz", ReadyAsync).WithSummary("200 when traffic may come, else 503 with the reasons");
        // Some load balancers probe so. The server sends no body.
        group.MapMethods("/healthz", [HttpMethods.Head], Alive).ExcludeFromDescription();
        group.MapMethods("/readyz", [HttpMethods.Head], ReadyAsync).ExcludeFromDescription();
        group.MapGet("/metrics", MeasuredAsync).WithSummary("Measurements in Prometheus' text format").Internal().ExcludeFromDescription();
    }

    internal static IResult Alive() => TypedResults.Text("ok");

    internal static async Task ReadyAsync(HttpContext context, Readiness readiness, Drain drain)
    {
        List<(string, string)> problems = [.. readiness.Missing.Select(check => (check.Name, check.Problem))];
        if (drain.IsDraining)
        {
            problems.Add(("drain", "shutting down"));
        }
        context.Response.StatusCode = problems.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter))
        {
            json.WriteStartObject();
            json.WriteString("status", problems.Count == 0 ? "ready" : "not_ready");
            json.WriteStartArray("problems");
            foreach (var (name, problem) in problems)
            {
                json.WriteStartObject();
                json.WriteString("check", name);
                json.WriteString("problem", problem);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    internal static async Task MeasuredAsync(HttpContext context, MetricsText metrics)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        metrics.Write(context.Response.BodyWriter);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
