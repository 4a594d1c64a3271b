using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.History;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Threads;

/// <summary>The conversations below a thread, by the names that a chat window shows.</summary>
internal static class ThreadsApi
{
    /// <summary>For conversations that belong to no agent in particular.</summary>
    private const string NoAgent = "";

    private const int MaxName = 500;
    private const int MaxOwnTitle = 60;
    private const int MaxMessage = 200_000;
    private const int MaxListed = 1_000;

    public static void MapThreads(this IEndpointRouteBuilder routes)
    {
        var threads = routes.MapGroup("/api/thread").WithTags("Threads");
        threads.MapPost("", CreateAsync).WithSummary("Make a conversation below a thread, or name one");
        threads.MapPost("/ai", NameAsync).WithSummary("Make a conversation below a thread, with a title that a model gives it");
        threads.MapGet("/{thread_id}", ListAsync).WithSummary("List the conversations below a thread, newest first");
    }

    internal static async Task<Created<ThreadMade>> CreateAsync(
        NewThread body, GtwyCaller caller, GatewayDb db, TimeProvider time, CancellationToken ct)
    {
        Failure.ThrowIfAny(body.Check());
        var agent = await AgentOfAsync(db, caller, body.SlugName, body.BridgeId ?? body.AgentId, ct);
        return Made(await KeepAsync(body, agent, caller, db, time, ct), caller);
    }

    /// <summary>
    /// The model of the agent that is named, else of the one that was last talked to in the thread; without any, the message itself is the
    /// title.
    /// </summary>
    internal static async Task<Created<ThreadMade>> NameAsync(
        NewThread body, HttpContext context, GtwyCaller caller, GatewayDb db,
        SideRuns side, BuiltInAgents models, RunLimits limits, EditorPushes pages,
        TimeProvider time, CancellationToken ct)
    {
        Failure.ThrowIfAny(body.Check());
        var agent = await AgentOfAsync(db, caller, body.SlugName, body.BridgeId ?? body.AgentId, ct)
            ?? await db.Threads.AsNoTracking()
                .Where(thread => thread.OrganizationId == caller.OrganizationId
                    && thread.ThreadId == body.ThreadId && thread.AgentId != NoAgent
                    && db.AgentsOf(caller).Any(own => own.Id == thread.AgentId && own.DeletedAt == null))
                .OrderByDescending(thread => thread.UpdatedAt).Select(thread => thread.AgentId).FirstOrDefaultAsync(ct);
        var name = body.Name;
        if (name is null && !string.IsNullOrWhiteSpace(body.User))
        {
            await limits.TakeAsync(context, caller, agent, body.ThreadId);
            name = await TitleAsync(body.User, agent, context, caller, side, models, ct);
        }
        var thread = await KeepAsync(body with { Name = name }, agent, caller, db, time, ct);
        if (thread.DisplayName is not null
            && EditorPushes.ChannelOf(body.BotId ?? thread.AgentId, thread.ThreadId, thread.SubThreadId) is { } channel)
        {
            await pages.ConversationNamedAsync(
                caller.OrganizationId, channel, thread.ThreadId, thread.SubThreadId, thread.DisplayName, thread.CreatedAt, ct);
        }
        return Made(thread, caller);
    }

    private static async Task<string> TitleAsync(
        string message, string? agent, HttpContext context, GtwyCaller caller, SideRuns side, BuiltInAgents models, CancellationToken ct)
    {
        var words = message.Trim();
        var own = StoredText.Clean(words[..Math.Min(words.Length, MaxOwnTitle)]);
        if (agent is null)
        {
            return own;
        }
        try
        {
            return await side.OpenAsync(
                caller.OrganizationId, agent, versionId: null, new() { ["user"] = message }, context.RequestId(), ct) is { } run
                && await models.TitleAsync(run, message, ct) is { Length: > 0 } title ? title : own;
        }
        catch (Failure failure)
            when (failure.Kind is FailureKind.Upstream or FailureKind.Overloaded or FailureKind.Timeout or FailureKind.Unavailable)
        {
            return own;
        }
    }

    private static async Task<AgentThread> KeepAsync(
        NewThread body, string? agent, GtwyCaller caller, GatewayDb db, TimeProvider time, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var thread = new AgentThread
        {
            OrganizationId = caller.OrganizationId,
            AgentId = agent ?? NoAgent,
            ThreadId = body.ThreadId!,
            SubThreadId = body.SubThreadId ?? $"{Guid.CreateVersion7(now)}",
            DisplayName = body.Name,
            CreatedAt = now,
            UpdatedAt = now,
        };
        // Another call may be adding the same conversation, or an agent is running in it.
        await db.Database.ExecuteSqlAsync($"""
            insert into gateway.threads (organization_id, agent_id, thread_id, sub_thread_id, display_name, created_at, updated_at)
            values ({thread.OrganizationId}, {thread.AgentId}, {thread.ThreadId}, {thread.SubThreadId}, {thread.DisplayName}, {now}, {now})
            on conflict (organization_id, agent_id, thread_id, sub_thread_id)
            do update set display_name = coalesce(excluded.display_name, threads.display_name)
            """, ct);
        return thread;
    }

    private static Created<ThreadMade> Made(AgentThread thread, GtwyCaller caller) =>
        TypedResults.Created((string?)null, new ThreadMade(SubThread.Of(thread, caller), Success: true));

    internal static async Task<Ok<ThreadList>> ListAsync(
        [FromRoute(Name = "thread_id")] string threadId, GtwyCaller caller, GatewayDb db, CancellationToken ct,
        [FromQuery(Name = "slugName")] string? slugName = null)
    {
        var agent = await AgentOfAsync(db, caller, QueryValues.Text(slugName, "slugName"), id: null, ct);
        var threads = await db.Threads.AsNoTracking()
            .Where(thread => thread.OrganizationId == caller.OrganizationId
                && thread.ThreadId == threadId && (agent == null || thread.AgentId == agent)
                && (caller.FolderId == null || db.AgentsOf(caller).Any(own => own.Id == thread.AgentId)))
            .OrderByDescending(thread => thread.CreatedAt).Take(MaxListed).ToListAsync(ct);
        return TypedResults.Ok(new ThreadList(threads.ConvertAll(thread => SubThread.Of(thread, caller)), Success: true));
    }

    /// <summary>Null when none is named.</summary>
    private static async Task<string?> AgentOfAsync(GatewayDb db, GtwyCaller caller, string? slug, string? id, CancellationToken ct) =>
        slug is null && id is null
            ? null
            : await db.AgentsOf(caller).Where(agent => agent.DeletedAt == null
                && (slug == null || agent.Slug == slug) && (id == null || agent.Id == id)).Select(agent => agent.Id).FirstOrDefaultAsync(ct)
                ?? throw Failure.NotFound("Agent");

    internal sealed record NewThread(
        string? ThreadId, [property: JsonPropertyName("subThreadId")] string? SubThreadId, string? Name,
        [property: JsonPropertyName("slugName")] string? SlugName, string? BridgeId, string? AgentId, string? User = null,
        [property: JsonPropertyName("botId")] string? BotId = null)
    {
        public IEnumerable<FieldError> Check()
        {
            if (string.IsNullOrWhiteSpace(ThreadId))
            {
                yield return new("thread_id", "thread_id must be given");
            }
            foreach (var (field, text) in ((string, string?)[])[("thread_id", ThreadId), ("subThreadId", SubThreadId)])
            {
                if (text is not null && !ThreadKey.IsName(text))
                {
                    yield return new(field, $"{field} must have at most {ThreadKey.MaxBytes} bytes");
                }
            }
            if (User?.Length > MaxMessage)
            {
                yield return new("user", $"user must have at most {MaxMessage} characters");
            }
            if (Name?.Length > MaxName)
            {
                yield return new("name", $"name must have at most {MaxName} characters");
            }
        }
    }

    internal sealed record ThreadMade(SubThread Thread, bool Success);

    internal sealed record ThreadList(IReadOnlyList<SubThread> Threads, bool Success);

    internal sealed record SubThread(
        string ThreadId, string SubThreadId, string DisplayName, string OrgId, string? BridgeId, DateTimeOffset CreatedAt)
    {
        public static SubThread Of(AgentThread thread, GtwyCaller caller) => new(
            thread.ThreadId, thread.SubThreadId, thread.DisplayName ?? thread.SubThreadId, caller.OrgId,
            thread.AgentId.Length > 0 ? thread.AgentId : null, thread.CreatedAt);
    }
}
