using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;

namespace Stoa.Gateway.History;

/// <summary>
/// What an orchestrating agent has handed over to others: one row for each request, in which what each agent did stands under its id. The
/// runs are the same that the agents' own histories show.
/// </summary>
internal static class HandoverHistoryApi
{
    private const int MaxHandovers = 10;

    /// <summary>Of the request, not of an agent that took part.</summary>
    private static readonly string[] Whole = ["id", "org_id", "thread_id", "sub_thread_id", "bridge_id"];

    public static void MapHandoverHistory(this IEndpointRouteBuilder routes) => routes
        .MapGet("/api/orchestrator/history/{orchestrator_id}", ListAsync).WithTags("History")
        .WithSummary("List the requests that an agent handed over, newest first");

    internal static async Task<Ok<HistoryApi.LogList>> ListAsync(
        [FromRoute(Name = "orchestrator_id")] string orchestratorId,
        GtwyCaller caller, GatewayDb db, RunHistory history, CancellationToken ct,
        int page = 1, int limit = 30)
    {
        HistoryApi.CheckPage(page, limit);
        await db.RequireAgentAsync(caller, orchestratorId, ct);
        var first = await history.Of(caller.OrganizationId, orchestratorId).Where(run => run.ChildId != null && run.ParentId == null)
            .OrderByDescending(run => run.CreatedAt).Skip((page - 1) * limit).Take(limit).ToListAsync(ct);
        var later = await LaterAsync(db, caller.OrganizationId, first, ct);
        return TypedResults.Ok(new HistoryApi.LogList(first.ConvertAll(run => RowOf(run, later, caller.OrgId)), Success: true));
    }

    /// <summary>The runs that others went on with, by their messages; one query for each time it was handed on.</summary>
    private static async Task<Dictionary<string, AgentRun>> LaterAsync(
        GatewayDb db, Guid organizationId, List<AgentRun> runs, CancellationToken ct)
    {
        var later = new Dictionary<string, AgentRun>(StringComparer.Ordinal);
        for (var handovers = 0; handovers < MaxHandovers; handovers++)
        {
            var next = runs.Select(run => run.ChildId).OfType<string>().Where(message => !later.ContainsKey(message)).ToList();
            if (next.Count == 0)
            {
                break;
            }
            runs = await db.Runs.AsNoTracking()
                .Where(run => run.OrganizationId == organizationId && next.Contains(run.MessageId)).ToListAsync(ct);
            runs.ForEach(run => later.TryAdd(run.MessageId, run));
        }
        return later;
    }

    private static JsonObject RowOf(AgentRun first, Dictionary<string, AgentRun> later, string orgId)
    {
        var row = new JsonObject();
        var path = new JsonArray();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var run = first; run is not null && seen.Add(run.MessageId); run = run.ChildId is { } next
            ? later.GetValueOrDefault(next) : null)
        {
            path.Add((JsonNode)run.AgentId);
            foreach (var (name, value) in ConversationLog.Of(run, orgId))
            {
                if (Whole.Contains(name))
                {
                    row.TryAdd(name, value?.DeepClone());
                }
                else
                {
                    (row[name] ??= new JsonObject())[run.AgentId] = value?.DeepClone();
                }
            }
        }
        row["agents_path"] = path;
        return row;
    }
}
