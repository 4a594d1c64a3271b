using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Http;

namespace Stoa.Gateway.History;

/// <summary>What an agent was asked and answered: its threads, a conversation, one run with the runs below it, its batches.</summary>
internal static class HistoryApi
{
    private const int MaxPage = 100_000;
    private const int MaxLimit = 100;
    private const int MaxFound = 500;

    public static void MapHistory(this IEndpointRouteBuilder routes)
    {
        var history = routes.MapGroup("/api/history").WithTags("History");
        history.MapGet("/{agent_id}", ThreadsAsync).WithSummary("List an agent's threads, newest first");
        history.MapGet("/{agent_id}/{thread_id}/{sub_thread_id}", ConversationAsync).WithSummary("Read a conversation");
        history.MapGet("/{agent_id}/{bridge_slugName}", WindowAsync)
            .WithSummary("Read a thread as a chat window shows it; the first part is the thread's id");
        history.MapGet("/recursive/{agent_id}/{thread_id}/{message_id}", RecursiveAsync)
            .WithSummary("Read a run with the runs of the agents that it called");
        history.MapGet("/message/testcase/history/message_id/{message_id}", MessageAsync).WithSummary("Read the run of a message");
        routes.MapPost("/api/report/message-data", ReportAsync).WithTags("Utilities")
            .TakesObject().WithSummary("Read the run of a message");

        var batches = routes.MapGroup("/api/batch/history").WithTags("History");
        batches.MapGet("/{agent_id}", BatchesAsync).WithSummary("List the runs of an agent's batches, newest first");
        batches.MapGet("/count/{agent_id}", BatchCountsAsync).WithSummary("Count the runs of an agent's batches by their state");
    }

    internal static async Task<Ok<HistoryPage>> ThreadsAsync(
        [FromRoute(Name = "agent_id")] string agentId, [AsParameters] HistoryFilter filter,
        GtwyCaller caller, GatewayDb db, RunHistory history,
        CancellationToken ct, int page = 1, int limit = 30)
    {
        CheckPage(page, limit);
        await db.RequireAgentAsync(caller, agentId, ct);
        var threads = await history.ThreadsAsync(caller.OrganizationId, agentId, filter, (page - 1) * limit, limit, ct);
        var found = filter.HasKeyword
            ? await history.FoundAsync(caller.OrganizationId, agentId, filter, [.. threads.Select(thread => thread.ThreadId)], MaxFound, ct)
            : [];
        var feedback = await history.FeedbackAsync(caller.OrganizationId, agentId, filter, ct);
        return TypedResults.Ok(new HistoryPage(
            [.. threads.Select(thread => new ThreadSummary(
                thread.Number, thread.ThreadId, thread.UpdatedAt,
                filter.HasKeyword ? [.. found.Where(message => message.ThreadId == thread.ThreadId)] : null))],
            feedback, Success: true));
    }

    internal static async Task<Ok<LogPage>> ConversationAsync(
        [FromRoute(Name = "agent_id")] string agentId, [FromRoute(Name = "thread_id")] string threadId,
        [FromRoute(Name = "sub_thread_id")] string subThreadId,
        [AsParameters] HistoryFilter filter, GtwyCaller caller, GatewayDb db, RunHistory history,
        CancellationToken ct, int page = 1, int limit = 30)
    {
        CheckPage(page, limit);
        await db.RequireAgentAsync(caller, agentId, ct);
        var runs = filter.Apply(history.Of(caller.OrganizationId, agentId)
            .Where(run => run.ThreadId == threadId && run.SubThreadId == subThreadId));
        var (rows, total) = await RunHistory.ConversationAsync(runs, page, limit, ct);
        return TypedResults.Ok(
            new LogPage(rows.ConvertAll(run => ConversationLog.Of(run, caller.OrgId)), Success: true, total, (total + limit - 1) / limit));
    }

    internal static async Task<Ok<OneLog>> RecursiveAsync(
        [FromRoute(Name = "agent_id")] string agentId, [FromRoute(Name = "thread_id")] string threadId,
        [FromRoute(Name = "message_id")] string messageId, GtwyCaller caller, GatewayDb db, RunHistory history, CancellationToken ct)
    {
        await db.RequireInFolderAsync(caller, agentId, ct);
        var run = await history.FindAsync(caller.OrganizationId, messageId, ct);
        return run?.AgentId == agentId && run.ThreadId == threadId
            ? TypedResults.Ok(new OneLog(Success: true, await history.NestedAsync(run, caller.OrgId, ct)))
            : throw Failure.NotFound("Message");
    }

    internal static Task<Ok<OneLog>> MessageAsync(
        [FromRoute(Name = "message_id")] string messageId, GtwyCaller caller, GatewayDb db, RunHistory history, CancellationToken ct) =>
        RunOfAsync(messageId, caller, db, history, ct);

    internal static Task<Ok<OneLog>> ReportAsync(
        GtwyCaller caller, GtwyBody body, GatewayDb db, RunHistory history, CancellationToken ct) =>
        RunOfAsync(body.Members.NeedText("message_id", ThreadKey.MaxBytes), caller, db, history, ct);

    private static async Task<Ok<OneLog>> RunOfAsync(
        string messageId, GtwyCaller caller, GatewayDb db, RunHistory history, CancellationToken ct)
    {
        var run = await history.FindAsync(caller.OrganizationId, messageId, ct) ?? throw Failure.NotFound("Message");
        await db.RequireInFolderAsync(caller, run.AgentId, ct);
        return TypedResults.Ok(new OneLog(Success: true, ConversationLog.Of(run, caller.OrgId)));
    }

    internal static async Task<Ok<LogList>> BatchesAsync(
        [FromRoute(Name = "agent_id")] string agentId, GtwyCaller caller, GatewayDb db, CancellationToken ct, int page = 1, int limit = 30,
        string? filter = null)
    {
        CheckPage(page, limit);
        await db.RequireAgentAsync(caller, agentId, ct);
        if (filter is not (null or "completed" or "queued" or "processing" or "failed"))
        {
            throw Failure.Invalid("filter must be completed, queued, processing or failed", "filter");
        }
        var rows = await db.Runs.FromSql($"""
            select * from gateway.runs
            where organization_id = {caller.OrganizationId} and agent_id = {agentId} and batch_id is not null
              and ({filter}::text is null or document #>> array['batch_data', 'status'] = {filter})
            """).AsNoTracking().OrderByDescending(run => run.CreatedAt).Skip((page - 1) * limit).Take(limit).ToListAsync(ct);
        return TypedResults.Ok(new LogList(rows.ConvertAll(run => ConversationLog.Of(run, caller.OrgId)), Success: true));
    }

    internal static async Task<Ok<BatchCounts>> BatchCountsAsync(
        [FromRoute(Name = "agent_id")] string agentId, GtwyCaller caller, GatewayDb db, CancellationToken ct)
    {
        await db.RequireAgentAsync(caller, agentId, ct);
        var counts = await db.Database.SqlQuery<BatchCount>($"""
            select document #>> array['batch_data', 'status'] as status, count(*) as runs from gateway.runs
            where organization_id = {caller.OrganizationId} and agent_id = {agentId} and batch_id is not null
            group by 1
            """).ToListAsync(ct);
        return TypedResults.Ok(new BatchCounts(new(Of("completed"), Of("queued"), Of("processing")), Success: true));

        long Of(string status) => counts.Find(count => count.Status == status)?.Runs ?? 0;
    }

    /// <summary>The newest page of a thread with the agent of that slug, oldest first.</summary>
    /// <param name="threadId">Stands where other routes have the agent's id.</param>
    internal static async Task<Ok<LogList>> WindowAsync(
        [FromRoute(Name = "agent_id")] string threadId, [FromRoute(Name = "bridge_slugName")] string slug, GtwyCaller caller, GatewayDb db,
        RunHistory history, CancellationToken ct, [FromQuery(Name = "pageNo")] int page = 1, int limit = 30,
        [FromQuery(Name = "sub_thread_id")] string? subThreadId = null)
    {
        CheckPage(page, limit);
        var agent = await db.AgentsOf(caller).Where(agent => agent.DeletedAt == null && agent.Slug == slug).Select(agent => agent.Id)
            .FirstOrDefaultAsync(ct) ?? throw Failure.NotFound("Agent");
        var sub = QueryValues.Text(subThreadId, "sub_thread_id") ?? threadId;
        var runs = history.Of(caller.OrganizationId, agent).Where(run => run.ThreadId == threadId && run.SubThreadId == sub);
        var (rows, _) = await RunHistory.ConversationAsync(runs, page, limit, ct);
        return TypedResults.Ok(new LogList(rows.ConvertAll(run => ConversationLog.Shown(run, caller.OrgId)), Success: true));
    }

    internal static void CheckPage(int page, int limit)
    {
        if (page is < 1 or > MaxPage || limit is < 1 or > MaxLimit)
        {
            throw Failure.Invalid($"page must be between 1 and {MaxPage}, limit between 1 and {MaxLimit}", "limit");
        }
    }

    internal sealed record HistoryPage(IReadOnlyList<ThreadSummary> Data, int TotalUserFeedbackCount, bool Success);

    /// <param name="Message">With a keyword: where it was found.</param>
    internal sealed record ThreadSummary(
        long Id, string ThreadId, DateTimeOffset UpdatedAt,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<RunHistory.FoundMessage>? Message);

    internal sealed record LogPage(
        IReadOnlyList<JsonObject> Data, bool Success, [property: JsonPropertyName("totalEntries")] int TotalEntries,
        [property: JsonPropertyName("totalPages")] int TotalPages);

    internal sealed record LogList(IReadOnlyList<JsonObject> Data, bool Success);

    internal sealed record OneLog(bool Success, JsonObject Data);

    internal sealed record BatchCount(string? Status, long Runs);

    internal sealed record BatchCounts(Counts Data, bool Success);

    internal sealed record Counts(long Completed, long Queued, long Processing);
}
