using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Metrics;

/// <summary>The figures of GTWY's dashboards: sums of usage over time. Everybody of the organization may see them; an embedded user those of his folder.</summary>
internal static class MetricsApi
{
    /// <summary>More than a chart can show; of more groups the oldest are left out.</summary>
    private const int MostRows = 20_000;

    public static void MapMetrics(this IEndpointRouteBuilder management)
    {
        var metrics = management.MapGroup("/api/metrics").WithTags("metrics");
        metrics.MapPost("/", SeriesAsync).WithSummary("Cost, latency, successes and tokens over time, by one factor");
        metrics.MapPost("/agent", AgentsAsync).WithSummary("Tokens and cost of each agent");
    }

    internal static async Task<Ok<JsonObject>> SeriesAsync(
        MetricsQuery body, GtwyCaller caller, UsageQueries usage, TimeProvider time, CancellationToken ct)
    {
        Failure.ThrowIfAny(body.Check());
        var filter = body.Filter(caller.OrganizationId, time.GetUtcNow()) with { FolderId = caller.FolderId };
        var sums = await usage.SumAsync(filter, body.Groups, MostRows, ct, body.Percentiles == true, newest: true);
        sums.Reverse();
        return Answer(new JsonArray([.. sums.Select(sum => RowOf(sum, body))]));
    }

    internal static async Task<Ok<JsonObject>> AgentsAsync(
        AgentsQuery body, GtwyCaller caller, UsageQueries usage, TimeProvider time, CancellationToken ct)
    {
        var dayAgo = UsageSums.StartOf(time.GetUtcNow().AddDays(-1), UsageSums.Quarter);
        var (from, to) = string.IsNullOrEmpty(body.StartDate) ? (dayAgo, null) : MetricsQuery.Dates(body.StartDate, body.EndDate);
        var sums = await usage.SumAsync(new(caller.OrganizationId, from, to, FolderId: caller.FolderId), ["agent"], MostRows, ct);
        return Answer(new JsonArray([.. sums.Where(sum => sum.AgentId is { Length: > 0 }).Select(sum => (JsonNode)new JsonObject
        {
            ["bridge_id"] = sum.AgentId,
            ["total_tokens"] = sum.InputTokens + sum.OutputTokens,
            ["total_cost"] = sum.Cost,
            ["last_used_time"] = sum.LastAt?.UtcDateTime,
        })]));
    }

    private static Ok<JsonObject> Answer(JsonArray data) => TypedResults.Ok(new JsonObject
    {
        ["success"] = true,
        ["statusCode"] = StatusCodes.Status200OK,
        ["data"] = data,
        ["message"] = "Successfully get request data",
    });

    /// <summary>Latencies in seconds, like the original's.</summary>
    private static JsonObject RowOf(UsageSum sum, MetricsQuery query)
    {
        const decimal Thousand = 1_000;
        var row = new JsonObject
        {
            ["created_at"] = sum.Time!.Value.UtcDateTime,
            ["cost_sum"] = sum.Cost,
            ["latency_sum"] = sum.LatencyMs / Thousand,
            ["success_count"] = sum.Calls - sum.Failed,
            ["total_token_count"] = sum.InputTokens + sum.OutputTokens,
            ["record_count"] = sum.Calls,
            ["cost_unknown_count"] = sum.Unpriced,
        };
        if (query.Factor != "created_at")
        {
            row[query.Factor!] = sum.AgentId ?? sum.VersionId ?? sum.ProviderKeyId ?? sum.ThreadId ?? sum.Provider ?? sum.Model;
        }
        if (query.Percentiles == true)
        {
            row["latency_p50"] = sum.P50Ms / 1_000;
            row["latency_p95"] = sum.P95Ms / 1_000;
            row["latency_p99"] = sum.P99Ms / 1_000;
        }
        return row;
    }

    /// <summary>The last 24 hours when no dates are given.</summary>
    internal sealed record AgentsQuery(string? StartDate, string? EndDate);
}
