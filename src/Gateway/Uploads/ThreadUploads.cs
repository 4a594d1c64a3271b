using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.History;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Uploads;

/// <summary>Remembers what is uploaded for a conversation (<c>thread_id</c>, <c>sub_thread_id</c>, <c>agent_id</c> of the form).</summary>
internal sealed class ThreadUploads(GatewayDb db, TimeProvider time)
{
    // What a statement adds its own deletion does not see yet, so one place is left for it.
    private const int OthersKept = ThreadFile.Most - 1;

    private const int MaxAgent = 512;

    /// <summary>The conversation that the upload is for; null where the form names no agent or no thread.</summary>
    /// <exception cref="Failure">Invalid: no such agent of the caller's, or a name that is none. Forbidden: his key is bound to other
    /// models.</exception>
    public async Task<ThreadKey?> FindAsync(GtwyCaller caller, IFormCollection form, CancellationToken ct)
    {
        var (name, thread, sub) = (Text(form, "agent_id", MaxAgent),
            Text(form, "thread_id", ThreadKey.MaxBytes), Text(form, "sub_thread_id", ThreadKey.MaxBytes));
        if (name is null || thread is null)
        {
            return null;
        }
        var agent = await db.AgentsOf(caller).AsNoTracking()
            .Where(agent => agent.DeletedAt == null && (agent.Id == name || agent.Slug == name))
            .OrderByDescending(agent => agent.Id == name).FirstOrDefaultAsync(ct) ?? throw ConfigurationFailures.AgentMissing();
        var (service, model) = (agent.Document.Text("service") ?? "", agent.Document.Object("configuration").Text("model") ?? "");
        return caller.Key is { } key && !CallGate.MayUse(key, service, model)
            ? throw Failure.Forbidden($"This key may not use the model {service}/{model}")
            : new(caller.OrganizationId, agent.Id, thread, sub ?? thread);
    }

    /// <summary>The newest stay, up to <see cref="ThreadFile.Most"/>. A file too large for a model's request is not kept in mind.</summary>
    public async Task RememberAsync(ThreadKey thread, string path, long bytes, CancellationToken ct)
    {
        if (bytes > ThreadFile.MaxBytes)
        {
            return;
        }
        var now = time.GetUtcNow();
        await db.Database.ExecuteSqlAsync($"""
            with added as (
              insert into gateway.thread_files (id, organization_id, agent_id, thread_id, sub_thread_id, path, bytes, expires_at)
              values ({Guid.CreateVersion7(now)}, {thread.OrganizationId}, {thread.AgentId}, {thread.ThreadId},
                {thread.SubThreadId}, {path}, {bytes},
                {now + ThreadFile.Kept})
            )
            delete from gateway.thread_files where id in (
              select id from gateway.thread_files
              where organization_id = {thread.OrganizationId} and agent_id = {thread.AgentId}
                and thread_id = {thread.ThreadId} and sub_thread_id = {thread.SubThreadId}
              order by id desc offset {OthersKept})
            """, ct);
    }

    private static string? Text(IFormCollection form, string field, int most)
    {
        var text = (string?)form[field];
        return string.IsNullOrEmpty(text) ? null
            : ThreadKey.IsName(text) && text.Length <= most ? text
            : throw Dialects.Gtwy.GtwyFields.Wrong(field, $"must have at most {most} bytes and no NUL");
    }
}
