using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Alerts;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Http;

namespace Stoa.Gateway.History;

/// <summary>The routes of GTWY's first generation that its front end still calls, below <c>/api/v1/config</c>.</summary>
internal static class OlderHistoryApi
{
    /// <summary>Of feedback: 1 is a thumb up, 0 takes back what was said.</summary>
    private const int ThumbsDown = 2;

    private const int MaxMessage = 1_000_000;
    private const int MaxThreads = 1_000;

    public static void MapOlderHistory(this IEndpointRouteBuilder routes)
    {
        var config = routes.MapGroup("/api/v1/config").WithTags("History");
        config.MapGet("/threads/{thread_id}/{bridge_id}", ThreadAsync).WithSummary("Read a thread");
        config.MapGet("/get-message-history/{thread_id}/{bridge_id}", ThreadAsync).WithSummary("Read a thread");
        config.MapGet("/gethistory-chatbot/{thread_id}/{bridge_slugName}", (
                GtwyCaller caller, [FromRoute(Name = "thread_id")] string threadId,
                [FromRoute(Name = "bridge_slugName")] string slug, GatewayDb db,
                RunHistory history, CancellationToken ct, [FromQuery(Name = "pageNo")] int page = 1, int limit = 30,
                [FromQuery(Name = "sub_thread_id")] string? subThreadId = null) =>
                HistoryApi.WindowAsync(threadId, slug, caller, db, history, ct, page, limit, subThreadId))
            .WithSummary("Read a thread as a chat window shows it");
        config.MapPost("/threads/{thread_id}/{bridge_id}", (
                [FromRoute(Name = "thread_id")] string threadId,
                [FromRoute(Name = "bridge_id")] string agentId, NewMessage body, GtwyCaller caller,
                GatewayDb db, TimeProvider time, CancellationToken ct) => AddAsync(threadId, threadId, agentId, body, caller, db, time, ct))
            .RequireGtwyEditor().WithSummary("Add an assistant's message to a thread");
        config.MapPost("/threads/{thread_id}/{sub_thread_id}/{bridge_id}", AddAsync)
            .RequireGtwyEditor().WithSummary("Add an assistant's message to a conversation");
        config.MapGet("/history/sub-thread/{thread_id}", SubThreadsAsync).WithSummary("List the conversations of a thread that has runs");
        config.MapPost("/getFineTuneData/{bridge_id}", FineTuneAsync)
            .WithSummary("Export threads for fine-tuning, a conversation on each line");
        config.MapPut("/gethistory/{bridge_id}", CorrectAsync).RequireGtwyEditor().WithSummary("Correct an answer");
        config.MapPut("/status/{status:int}", FeedbackAsync).WithSummary("Say whether an answer was good (1), bad (2) or neither (0)");
        config.MapGet("/getuserupdates/{version_id}", ChangesAsync).WithSummary("List who changed a version");
    }

    internal static async Task<Ok<HistoryApi.LogList>> ThreadAsync(
        [FromRoute(Name = "thread_id")] string threadId, [FromRoute(Name = "bridge_id")] string agentId,
        GtwyCaller caller, GatewayDb db, RunHistory history,
        CancellationToken ct, [FromQuery(Name = "pageNo")] int page = 1,
        int limit = 30, [FromQuery(Name = "sub_thread_id")] string? subThreadId = null)
    {
        HistoryApi.CheckPage(page, limit);
        await db.RequireAgentAsync(caller, agentId, ct);
        var sub = QueryValues.Text(subThreadId, "sub_thread_id");
        var runs = history.Of(caller.OrganizationId, agentId)
            .Where(run => run.ThreadId == threadId && (sub == null || run.SubThreadId == sub));
        var (rows, _) = await RunHistory.ConversationAsync(runs, page, limit, ct);
        return TypedResults.Ok(new HistoryApi.LogList(rows.ConvertAll(run => ConversationLog.Of(run, caller.OrgId)), Success: true));
    }

    internal static async Task<Ok<Done>> AddAsync(
        [FromRoute(Name = "thread_id")] string threadId, [FromRoute(Name = "sub_thread_id")] string subThreadId,
        [FromRoute(Name = "bridge_id")] string agentId, NewMessage body,
        GtwyCaller caller, GatewayDb db, TimeProvider time, CancellationToken ct)
    {
        caller.RequireEditor();
        CheckMessage(body.Message);
        if (!ThreadKey.IsName(threadId) || !ThreadKey.IsName(subThreadId))
        {
            throw Failure.Invalid($"The ids of threads have at most {ThreadKey.MaxBytes} bytes", "thread_id");
        }
        await db.RequireAgentAsync(caller, agentId, ct);
        var now = time.GetUtcNow();
        var run = new AgentRun
        {
            Id = Guid.CreateVersion7(now),
            CreatedAt = now,
            UpdatedAt = now,
            OrganizationId = caller.OrganizationId,
            AgentId = agentId,
            ThreadId = threadId,
            SubThreadId = subThreadId,
            MessageId = $"{Guid.CreateVersion7(now)}",
            Service = "",
            Model = "",
            IsSuccess = true,
            Answer = body.Message,
            Document = [],
        };
        db.Add(run);
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new Done(Success: true, ConversationLog.Of(run, caller.OrgId)));
    }

    internal static async Task<Ok<SubThreads>> SubThreadsAsync(
        [FromRoute(Name = "thread_id")] string threadId, GtwyCaller caller, GatewayDb db, RunHistory history, CancellationToken ct,
        [FromQuery(Name = "bridge_id")] string? agentId = null, string? error = null,
        [FromQuery(Name = "version_id")] string? versionId = null)
    {
        var agent = QueryValues.Text(agentId, "bridge_id") ?? throw Failure.Invalid("bridge_id must be given", "bridge_id");
        await db.RequireInFolderAsync(caller, agent, ct);
        var filter = new HistoryFilter { Error = error, VersionId = versionId };
        var threads = await filter.Apply(history.Of(caller.OrganizationId, agent).Where(run => run.ThreadId == threadId))
            .GroupBy(run => run.SubThreadId).Select(sub => new { Id = sub.Key, At = sub.Max(run => run.CreatedAt) })
            .OrderByDescending(sub => sub.At).Take(MaxThreads).ToListAsync(ct);
        return TypedResults.Ok(new SubThreads(Success: true, threads.ConvertAll(sub => new SubThreadRow(sub.Id, sub.Id, sub.At))));
    }

    /// <summary>A line <c>{"messages": [{"role", "content"}]}</c> for each run, with what the answer was corrected to.</summary>
    internal static async Task<PushStreamHttpResult> FineTuneAsync(
        [FromRoute(Name = "bridge_id")] string agentId, FineTuneChoice choice, GtwyCaller caller, GatewayDb db, RunHistory history,
        CancellationToken ct)
    {
        await db.RequireAgentAsync(caller, agentId, ct);
        if (choice.ThreadIds is not { Count: > 0 and <= MaxThreads } threads)
        {
            throw Failure.Invalid($"thread_ids must hold 1 to {MaxThreads} ids", "thread_ids");
        }
        var filter = new HistoryFilter { UserFeedback = choice.UserFeedback };
        var runs = filter.Apply(history.Of(caller.OrganizationId, agentId).Where(run => threads.Contains(run.ThreadId) && run.IsSuccess));
        return TypedResults.Stream(async output =>
        {
            await foreach (var run in runs.OrderBy(run => run.Number).AsAsyncEnumerable().WithCancellation(ct))
            {
                await output.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(Example(run), GatewayJson.Default.JsonObject), ct);
                await output.WriteAsync("\n"u8.ToArray(), ct);
            }
        }, "application/jsonl", $"{agentId}.jsonl");
    }

    internal static async Task<Ok<Done>> CorrectAsync(
        [FromRoute(Name = "bridge_id")] string agentId, Correction body,
        GtwyCaller caller, GatewayDb db, TimeProvider time, CancellationToken ct)
    {
        caller.RequireEditor();
        CheckMessage(body.Message);
        await db.RequireInFolderAsync(caller, agentId, ct);
        // Into the document as it is by then: what follows a run writes there, too.
        await db.Database.ExecuteSqlAsync($"""
            update gateway.runs
              set document = document || jsonb_build_object('updated_llm_message', {body.Message}::text), updated_at = {time.GetUtcNow()}
            where number = {body.Id} and agent_id = {agentId} and organization_id = {caller.OrganizationId}
            """, ct);
        var run = await db.Runs.AsNoTracking().FirstOrDefaultAsync(
            run => run.Number == body.Id && run.AgentId == agentId && run.OrganizationId == caller.OrganizationId,
            ct) ?? throw Failure.NotFound("Message");
        return TypedResults.Ok(new Done(Success: true, ConversationLog.Of(run, caller.OrgId)));
    }

    internal static async Task<Ok<Done>> FeedbackAsync(
        int status, FeedbackOn body, GtwyCaller caller, GatewayDb db, AlertSender alerts, TimeProvider time, CancellationToken ct)
    {
        if (status is < 0 or > ThumbsDown)
        {
            throw Failure.Invalid("status must be 0, 1 or 2", "status");
        }
        var run = body.MessageId is null ? null : await db.Runs.FirstOrDefaultAsync(
            run => run.MessageId == body.MessageId && run.OrganizationId == caller.OrganizationId
            && (body.AgentId == null || run.AgentId == body.AgentId), ct);
        if (run is null)
        {
            throw Failure.NotFound("Message");
        }
        await db.RequireInFolderAsync(caller, run.AgentId, ct);
        if (status == ThumbsDown)
        {
            // Before it is kept: whoever repeats the request after a crash in between is told once all the same.
            var name = await db.Agents.Where(agent => agent.Id == run.AgentId && agent.OrganizationId == run.OrganizationId)
                .Select(agent => agent.Name).FirstOrDefaultAsync(ct);
            await alerts.SendAsync(
                run.OrganizationId,
                AlertEvent.ThumbsDown(
                    new(run.AgentId, name ?? "", caller.OrgId, caller.UserId, caller.IsEmbed, caller.IsEmbed ? caller.UserId : null),
                    run.MessageId),
                ct);
        }
        (run.UserFeedback, run.UpdatedAt) = ((short)status, time.GetUtcNow());
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new Done(Success: true, ConversationLog.Of(run, caller.OrgId)));
    }

    internal static async Task<Ok<Changes>> ChangesAsync(
        [FromRoute(Name = "version_id")] string versionId, GtwyCaller caller,
        GatewayDb db, CancellationToken ct, int page = 1, int limit = 30,
        string? users = null)
    {
        HistoryApi.CheckPage(page, limit);
        var by = QueryValues.Text(users, "users");
        var changes = await db.AgentChanges.AsNoTracking()
            .Where(change => change.OrganizationId == caller.OrganizationId
                && change.VersionId == versionId && (by == null || change.UserId == by)
                && (caller.FolderId == null || db.AgentsOf(caller).Any(agent => agent.Id == change.AgentId)))
            .OrderByDescending(change => change.Id).Skip((page - 1) * limit).Take(limit).ToListAsync(ct);
        return TypedResults.Ok(new Changes(Success: true, changes.ConvertAll(change =>
            new Change(change.Id, change.UserId, caller.OrgId, change.AgentId, change.Kind, change.At, change.VersionId))));
    }

    private static void CheckMessage(string? message)
    {
        if (string.IsNullOrEmpty(message) || message.Length > MaxMessage)
        {
            throw Failure.Invalid($"message must have 1 to {MaxMessage} characters", "message");
        }
    }

    private static JsonObject Example(AgentRun run)
    {
        var answer = run.Document["updated_llm_message"]?.GetValue<string>() is { Length: > 0 } better ? better : run.Answer;
        var messages = new JsonArray();
        foreach (var (role, content) in ((string, string?)[])[
            ("system", run.Document["prompt"] is JsonValue prompt && prompt.TryGetValue<string>(out var text) ? text : null),
            ("user", run.UserMessage), ("assistant", answer)])
        {
            if (!string.IsNullOrEmpty(content))
            {
                messages.Add(new JsonObject { ["role"] = role, ["content"] = content });
            }
        }
        return new() { ["messages"] = messages };
    }

    internal sealed record NewMessage(string? Message);

    internal sealed record Correction(string? Message, long Id);

    internal sealed record FeedbackOn(string? MessageId, string? AgentId);

    internal sealed record FineTuneChoice(IReadOnlyList<string>? ThreadIds, string? UserFeedback);

    internal sealed record Done(bool Success, JsonObject Result);

    internal sealed record SubThreads(bool Success, IReadOnlyList<SubThreadRow> Threads);

    internal sealed record SubThreadRow(string SubThreadId, string DisplayName, DateTimeOffset UpdatedAt);

    internal sealed record Changes(bool Success, IReadOnlyList<Change> Updates);

    internal sealed record Change(
        Guid Id, string? UserId, string OrgId, string BridgeId, string Type, DateTimeOffset Time, string? VersionId);
}
