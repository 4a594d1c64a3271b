using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;

namespace Stoa.Gateway.History;

/// <summary>Reads what agents did. Every query is bound to one organization.</summary>
internal sealed class RunHistory(GatewayDb db)
{
    /// <summary>Runs of agents that called agents are nested; deeper than this, something calls itself.</summary>
    private const int MaxDepth = 10;

    public IQueryable<AgentRun> Of(Guid organizationId, string agentId) =>
        db.Runs.AsNoTracking().Where(run => run.OrganizationId == organizationId && run.AgentId == agentId);

    /// <summary>Threads by their latest run that the filter lets through, newest first.</summary>
    public async Task<List<ThreadRow>> ThreadsAsync(
        Guid organizationId, string agentId, HistoryFilter filter, int skip, int take, CancellationToken ct)
    {
        var runs = Of(organizationId, agentId);
        var threads = filter.IsEmpty
            // The latest run of each thread, along the index: no sum over a whole history for one page of it.
            ? runs.Where(run => !db.Runs.Any(newer => newer.OrganizationId == organizationId && newer.AgentId == agentId
                    && newer.ThreadId == run.ThreadId && newer.CreatedAt >= run.CreatedAt
                    && (newer.CreatedAt > run.CreatedAt || newer.Number > run.Number)))
                .Select(run => new { run.ThreadId, run.Number, UpdatedAt = run.CreatedAt })
            : filter.Apply(runs).GroupBy(run => run.ThreadId)
                .Select(thread =>
                    new { ThreadId = thread.Key, Number = thread.Max(run => run.Number), UpdatedAt = thread.Max(run => run.CreatedAt) });
        return await threads.OrderByDescending(thread => thread.UpdatedAt).ThenByDescending(thread => thread.Number).Skip(skip).Take(take)
            .Select(thread => new ThreadRow(thread.ThreadId, thread.Number, thread.UpdatedAt)).ToListAsync(ct);
    }

    public Task<int> FeedbackAsync(Guid organizationId, string agentId, HistoryFilter filter, CancellationToken ct) =>
        filter.Apply(Of(organizationId, agentId)).CountAsync(run => run.UserFeedback != 0, ct);

    /// <summary>The messages of these threads in which the keyword was found.</summary>
    public Task<List<FoundMessage>> FoundAsync(
        Guid organizationId, string agentId, HistoryFilter filter, IReadOnlyList<string> threads, int take, CancellationToken ct) =>
        filter.Apply(Of(organizationId, agentId)).Where(run => threads.Contains(run.ThreadId))
            .OrderByDescending(run => run.CreatedAt).Take(take)
            .Select(run => new FoundMessage(run.ThreadId, run.MessageId, run.UserMessage, run.CreatedAt)).ToListAsync(ct);

    /// <summary>A page of one conversation. The first page holds the newest runs; each page begins with its oldest.</summary>
    public static async Task<(List<AgentRun> Runs, int Total)> ConversationAsync(
        IQueryable<AgentRun> runs, int page, int limit, CancellationToken ct)
    {
        var total = await runs.CountAsync(ct);
        var rows = await runs.OrderByDescending(run => run.CreatedAt)
            .ThenByDescending(run => run.Number).Skip((page - 1) * limit).Take(limit).ToListAsync(ct);
        rows.Reverse();
        return (rows, total);
    }

    /// <summary>The run of this message, without regard to its agent.</summary>
    public Task<AgentRun?> FindAsync(Guid organizationId, string messageId, CancellationToken ct) => db.Runs.AsNoTracking()
        .Where(run => run.OrganizationId == organizationId && run.MessageId == messageId)
        .OrderByDescending(run => run.Number).FirstOrDefaultAsync(ct);

    /// <summary>The run with the runs of the agents that it called in the place of what they answered.</summary>
    public async Task<JsonObject> NestedAsync(AgentRun root, string orgId, CancellationToken ct)
    {
        var children = new Dictionary<string, AgentRun>(StringComparer.Ordinal);
        var parents = new List<string> { root.MessageId };
        for (var depth = 0; depth < MaxDepth && parents.Count > 0; depth++)
        {
            var level = await db.Runs.AsNoTracking()
                .Where(run => run.OrganizationId == root.OrganizationId && run.ParentId != null && parents.Contains(run.ParentId))
                .ToListAsync(ct);
            parents = [.. level.Where(run => children.TryAdd(run.MessageId, run)).Select(run => run.MessageId)];
        }
        return Nest(root, depth: 0);

        JsonObject Nest(AgentRun run, int depth)
        {
            var log = ConversationLog.Of(run, orgId);
            foreach (var data in Calls(log).Select(call => call["data"]).OfType<JsonObject>())
            {
                if (depth < MaxDepth && data["metadata"] is JsonObject metadata && metadata["message_id"] is JsonValue id
                    && id.TryGetValue<string>(out var message) && children.TryGetValue(message, out var child))
                {
                    data["response"] = Nest(child, depth + 1);
                }
            }
            return log;
        }
    }

    private static IEnumerable<JsonObject> Calls(JsonObject log) => log["tools_call_data"] is JsonArray rounds
        ? rounds.OfType<JsonObject>().SelectMany(round => round.Select(call => call.Value).OfType<JsonObject>())
        : [];

    internal sealed record ThreadRow(string ThreadId, long Number, DateTimeOffset UpdatedAt);

    internal sealed record FoundMessage(string ThreadId, string MessageId, string? Message, DateTimeOffset CreatedAt);
}
