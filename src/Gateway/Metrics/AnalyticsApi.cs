using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.History;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Metrics;

/// <summary>What one agent did, from its history, with the figures of its usage beside it when asked for.</summary>
internal static class AnalyticsApi
{
    private const int MostPoints = 10_000;
    private static readonly TimeSpan FacetsOf = TimeSpan.FromDays(90);

    public static void MapAnalytics(this IEndpointRouteBuilder management)
    {
        var analytics = management.MapGroup("/api/analytics/agent/{bridge_id}").WithTags("metrics");
        analytics.MapGet("/", ReadAsync).WithSummary("An agent's threads, or its runs that match, with a summary and a chart if wanted");
        analytics.MapGet("/filters", FiltersAsync).WithSummary("The values that the filters of an agent's analytics can take");
    }

    internal static async Task<Ok<JsonObject>> ReadAsync(
        [FromRoute(Name = "bridge_id")] string bridgeId, [AsParameters] AnalyticsQuery query, GtwyCaller caller,
        RunAnalytics runs, UsageQueries usage, GatewayDb db, EditorPushes pages, TimeProvider time, CancellationToken ct)
    {
        var agent = await AgentOfAsync(bridgeId, caller, db, ct);
        query = await WithScriptsAsync(query, caller, db, ct);
        var now = time.GetUtcNow();
        var (threads, total) = await runs.ThreadsAsync(caller.OrganizationId, agent, query, now, ct);
        var answer = new JsonObject { ["success"] = true, [query.HasFilter ? "data" : "threads"] = threads };
        var summary = query.HasFilter || query.WithSummary ? await runs.SummaryAsync(caller.OrganizationId, agent, query, now, ct) : null;
        if (query.HasFilter)
        {
            answer["total_user_feedback_count"] = (long)summary!["thumbs_up"]! + (long)summary["thumbs_down"]!;
        }
        answer["pagination"] = new JsonObject
        {
            ["page"] = query.PageNumber,
            ["page_size"] = query.RowsPerPage,
            ["total"] = total,
            ["total_pages"] = (total + query.RowsPerPage - 1) / query.RowsPerPage,
        };
        if (query.WithSummary)
        {
            answer["summary"] = summary;
            var charts = await ChartsAsync(caller.OrganizationId, agent, query, usage, now, ct);
            await pages.AnalyticsAsync(caller, agent, summary, charts, ct);
            answer["charts"] = charts;
        }
        return TypedResults.Ok(answer);
    }

    internal static async Task<Ok<JsonObject>> FiltersAsync(
        [FromRoute(Name = "bridge_id")] string bridgeId, GtwyCaller caller, RunAnalytics runs, GatewayDb db, TimeProvider time,
        CancellationToken ct)
    {
        var agent = await AgentOfAsync(bridgeId, caller, db, ct);
        var facets = await runs.FacetsAsync(caller.OrganizationId, agent, time.GetUtcNow() - FacetsOf, ct);
        return TypedResults.Ok(new JsonObject { ["success"] = true, ["data"] = facets });
    }

    /// <summary>Runs name the scripts of the functions that were called.</summary>
    private static async Task<AnalyticsQuery> WithScriptsAsync(AnalyticsQuery query, GtwyCaller caller, GatewayDb db, CancellationToken ct)
    {
        if (query.ToolId is not { Length: > 0 }
            || query.ToolId.SelectMany(given => given.Split(',')).Where(HexId.IsOne).ToArray() is not { Length: > 0 } ids)
        {
            return query;
        }
        var scripts = await db.Tools.Where(tool => tool.OrganizationId == caller.OrganizationId && ids.Contains(tool.Id))
            .Select(tool => tool.ScriptId).ToListAsync(ct);
        return query with { ToolId = [.. query.ToolId, .. scripts] };
    }

    private static async Task<string> AgentOfAsync(string id, GtwyCaller caller, GatewayDb db, CancellationToken ct)
    {
        var agent = QueryValues.Text(id, "bridge_id") ?? "";
        await db.RequireInFolderAsync(caller, agent, ct);
        return agent;
    }

    private static async Task<JsonArray> ChartsAsync(
        Guid organizationId, string agent, AnalyticsQuery query, UsageQueries usage, DateTimeOffset now, CancellationToken ct)
    {
        var (from, to) = query.Window(now);
        var filter = new UsageFilter(organizationId, UsageSums.StartOf(from, UsageSums.Quarter),
            UsageSums.StartOf(to, UsageSums.Quarter) + UsageSums.Quarter, AgentId: agent);
        var sums = await usage.SumAsync(filter, [query.Bucket(from, to)], MostPoints, ct, percentiles: true);
        return new([.. sums.Select(sum => (JsonNode)new JsonObject
        {
            ["created_at"] = sum.Time!.Value.UtcDateTime,
            ["calls"] = sum.Calls,
            ["failed"] = sum.Failed,
            ["total_tokens"] = sum.InputTokens + sum.OutputTokens,
            ["total_cost"] = sum.Cost,
            ["latency_p50"] = sum.P50Ms / 1_000,
            ["latency_p95"] = sum.P95Ms / 1_000,
        })]);
    }
}
