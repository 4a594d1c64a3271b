using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Threads;

/// <summary>The conversations below a thread, by the names that a chat window shows.</summary>
internal static class ThreadsApi
{
    /// <summary>For conversations that belong to no agent in particular.</summary>
    private const string NoAgent = "";

    private const int MaxName = 500;
    private const int MaxListed = 1_000;

    public static void MapThreads(this IEndpointRouteBuilder routes)
    {
        var threads = routes.MapGroup("/api/thread").WithTags("Threads");
        threads.MapPost("", CreateAsync).WithSummary("Make a conversation below a thread, or name one");
        threads.MapGet("/{thread_id}", ListAsync).WithSummary("List the conversations below a thread, newest first");
    }

    internal static async Task<Created<ThreadMade>> CreateAsync(
        NewThread body, GtwyCaller caller, GatewayDb db, TimeProvider time, CancellationToken ct)
    {
        Failure.ThrowIfAny(body.Check());
        var now = time.GetUtcNow();
        var agent = await AgentOfAsync(db, caller, body.SlugName, body.BridgeId ?? body.AgentId, ct);
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
        return TypedResults.Created((string?)null, new ThreadMade(SubThread.Of(thread, caller), Success: true));
    }

    internal static async Task<Ok<ThreadList>> ListAsync(
        [FromRoute(Name = "thread_id")] string threadId, GtwyCaller caller, GatewayDb db, CancellationToken ct,
        [FromQuery(Name = "slugName")] string? slugName = null)
    {
        var agent = await AgentOfAsync(db, caller, QueryValues.Text(slugName, "slugName"), id: null, ct);
        var threads = await db.Threads.AsNoTracking()
            .Where(thread => thread.OrganizationId == caller.OrganizationId && thread.ThreadId == threadId && (agent == null || thread.AgentId == agent))
            .OrderByDescending(thread => thread.CreatedAt).Take(MaxListed).ToListAsync(ct);
        return TypedResults.Ok(new ThreadList(threads.ConvertAll(thread => SubThread.Of(thread, caller)), Success: true));
    }

    /// <summary>Null when none is named.</summary>
    private static async Task<string?> AgentOfAsync(GatewayDb db, GtwyCaller caller, string? slug, string? id, CancellationToken ct) =>
        slug is null && id is null
            ? null
            : await db.Agents.Where(agent => agent.OrganizationId == caller.OrganizationId && agent.DeletedAt == null
                && (slug == null || agent.Slug == slug) && (id == null || agent.Id == id)).Select(agent => agent.Id).FirstOrDefaultAsync(ct)
                ?? throw Failure.NotFound("Agent");

    internal sealed record NewThread(
        string? ThreadId, [property: JsonPropertyName("subThreadId")] string? SubThreadId, string? Name,
        [property: JsonPropertyName("slugName")] string? SlugName, string? BridgeId, string? AgentId)
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
            if (Name?.Length > MaxName)
            {
                yield return new("name", $"name must have at most {MaxName} characters");
            }
        }
    }

    internal sealed record ThreadMade(SubThread Thread, bool Success);

    internal sealed record ThreadList(IReadOnlyList<SubThread> Threads, bool Success);

    internal sealed record SubThread(string ThreadId, string SubThreadId, string DisplayName, string OrgId, string? BridgeId, DateTimeOffset CreatedAt)
    {
        public static SubThread Of(AgentThread thread, GtwyCaller caller) => new(
            thread.ThreadId, thread.SubThreadId, thread.DisplayName ?? thread.SubThreadId, caller.OrgId,
            thread.AgentId.Length > 0 ? thread.AgentId : null, thread.CreatedAt);
    }
}
