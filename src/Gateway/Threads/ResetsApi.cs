using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.History;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Threads;

/// <summary>Conversations that begin anew: what was said stays in the history, and is no longer shown to models.</summary>
internal static class ResetsApi
{
    private const int MaxPurpose = 2_000;

    public static void MapResets(this IEndpointRouteBuilder routes) => routes.MapPost("/chatbot/{botId}/resetchat", ResetAsync)
        .WithTags("Threads").WithSummary("Begin a conversation anew");

    internal static async Task<Ok<WasReset>> ResetAsync(
        string botId, Reset body, GtwyCaller caller, GatewayDb db, EditorPushes pages, TimeProvider time, CancellationToken ct)
    {
        Failure.ThrowIfAny(body.Check());
        var (threadId, subThreadId) = (body.ThreadId!, string.IsNullOrEmpty(body.SubThreadId) ? body.ThreadId! : body.SubThreadId);
        var agent = await db.AgentsOf(caller)
            .Where(agent => agent.DeletedAt == null && agent.Slug == body.SlugName).Select(agent => agent.Id)
            .FirstOrDefaultAsync(ct) ?? throw Failure.NotFound("Agent");
        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Nothing of it is left out of a summary, and there is no summary: nothing of it is shown.
        await db.Database.ExecuteSqlAsync($"""
            insert into gateway.threads (organization_id, agent_id, thread_id, sub_thread_id, summarized_to, created_at, updated_at)
            values ({caller.OrganizationId}, {agent}, {threadId}, {subThreadId}, {id}, {now}, {now})
            on conflict (organization_id, agent_id, thread_id, sub_thread_id) do update
            set summarized_to = excluded.summarized_to, summary = null, memory = null, sticky_agent_id = null,
              updated_at = excluded.updated_at
            """, ct);
        await db.Database.ExecuteSqlAsync($"""
            delete from gateway.thread_files where organization_id = {caller.OrganizationId} and agent_id = {agent}
              and thread_id = {threadId} and sub_thread_id = {subThreadId}
            """, ct);
        db.Add(new AgentRun
        {
            Id = id,
            CreatedAt = now,
            UpdatedAt = now,
            OrganizationId = caller.OrganizationId,
            AgentId = agent,
            ThreadId = threadId,
            SubThreadId = subThreadId,
            MessageId = $"{Guid.CreateVersion7(now)}",
            Service = "",
            Model = "",
            IsSuccess = true,
            FinishReason = "reset",
            Document = new JsonObject { ["role"] = "reset", ["purpose"] = body.Purpose },
        });
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        if (EditorPushes.ChannelOf(botId, threadId, subThreadId) is { } channel)
        {
            await pages.ConversationResetAsync(caller.OrganizationId, channel, ct);
        }
        return TypedResults.Ok(new WasReset(Success: true, "Chatbot reset successfully"));
    }

    internal sealed record WasReset(bool Success, string Message);

    internal sealed record Reset(
        [property: JsonPropertyName("threadId")] string? ThreadId, [property: JsonPropertyName("subThreadId")] string? SubThreadId,
        [property: JsonPropertyName("slugName")] string? SlugName, string? Purpose)
    {
        public IEnumerable<FieldError> Check()
        {
            foreach (var (field, text) in ((string, string?)[])[("threadId", ThreadId),
                ("subThreadId", SubThreadId), ("slugName", SlugName), ("purpose", Purpose)])
            {
                if (text?.Contains('\0', StringComparison.Ordinal) == true)
                {
                    yield return new(field, $"{field} must hold no NUL");
                }
            }
            if (string.IsNullOrWhiteSpace(ThreadId) || !ThreadKey.IsName(ThreadId))
            {
                yield return new("threadId", $"threadId must have 1 to {ThreadKey.MaxBytes} bytes");
            }
            if (SubThreadId is not null && !ThreadKey.IsName(SubThreadId))
            {
                yield return new("subThreadId", $"subThreadId must have at most {ThreadKey.MaxBytes} bytes");
            }
            if (string.IsNullOrWhiteSpace(SlugName))
            {
                yield return new("slugName", "slugName must be given");
            }
            if (Purpose?.Length > MaxPurpose)
            {
                yield return new("purpose", $"purpose must have at most {MaxPurpose} characters");
            }
        }
    }
}
