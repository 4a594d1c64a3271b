using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Metrics;

/// <summary>
/// The figures of GTWY's dashboards: sums of usage over time. Everybody of the organization may see them; an embedded user those of his
/// folder.
/// </summary>
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

    internal static async Task<Ok<Answer<Moment>>> SeriesAsync(
        MetricsQuery body, GtwyCaller caller, UsageQueries usage, TimeProvider time, CancellationToken ct)
    {
        Failure.ThrowIfAny(body.Check());
        var filter = body.Filter(caller.OrganizationId, time.GetUtcNow()) with { FolderId = caller.FolderId };
        var sums = await usage.SumAsync(filter, body.Groups, MostRows, ct, body.Percentiles == true, newest: true);
        sums.Reverse();
        return AnswerOf(sums.ConvertAll(MomentOf));
    }

    internal static async Task<Ok<Answer<AgentTotal>>> AgentsAsync(
        AgentsQuery body, GtwyCaller caller, UsageQueries usage, TimeProvider time, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var dayAgo = UsageSums.StartOf(now.AddDays(-1), UsageSums.Quarter);
        var (from, to) = string.IsNullOrEmpty(body.StartDate) ? (dayAgo, null) : MetricsQuery.Dates(body.StartDate, body.EndDate);
        var sums = await usage.SumAsync(
            new(caller.OrganizationId, from, to > now ? null : to, FolderId: caller.FolderId), ["agent"], MostRows, ct);
        return AnswerOf<AgentTotal>([.. sums.Where(sum => sum.AgentId is { Length: > 0 }).Select(sum =>
            new AgentTotal(sum.AgentId!, sum.InputTokens + sum.OutputTokens, sum.Cost, sum.LastAt?.UtcDateTime))]);
    }

    private static Ok<Answer<T>> AnswerOf<T>(IReadOnlyList<T> data) =>
        TypedResults.Ok(new Answer<T>(Success: true, StatusCodes.Status200OK, data, "Successfully get request data"));

    /// <summary>Latencies in seconds, like the original's.</summary>
    private static Moment MomentOf(UsageSum sum) => new(
        sum.AgentId, sum.VersionId, sum.ProviderKeyId, sum.ThreadId, sum.Provider, sum.Model, sum.Time!.Value.UtcDateTime, sum.Cost,
        sum.LatencyMs / 1_000m, sum.Calls - sum.Failed, sum.InputTokens + sum.OutputTokens, sum.Calls, sum.Unpriced, sum.P50Ms / 1_000,
        sum.P95Ms / 1_000, sum.P99Ms / 1_000);

    internal sealed record Answer<T>(
        bool Success, [property: JsonPropertyName("statusCode")] int StatusCode, IReadOnlyList<T> Data, string Message);

    /// <summary>
    /// The sums of a moment, or of one part of it: of what is asked by, one has a value. Percentiles only where they were asked for.
    /// </summary>
    internal sealed record Moment(
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? BridgeId,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? VersionId,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ApikeyId,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ThreadId,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Service,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Model,
        DateTime CreatedAt, decimal CostSum, decimal LatencySum, long SuccessCount,
        long TotalTokenCount, long RecordCount, long CostUnknownCount,
        [property: JsonPropertyName("latency_p50"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? LatencyP50,
        [property: JsonPropertyName("latency_p95"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? LatencyP95,
        [property: JsonPropertyName("latency_p99"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? LatencyP99);

    internal sealed record AgentTotal(string BridgeId, long TotalTokens, decimal TotalCost, DateTime? LastUsedTime);

    /// <summary>The last 24 hours when no dates are given.</summary>
    internal sealed record AgentsQuery(string? StartDate, string? EndDate);
}
