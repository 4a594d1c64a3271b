using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Delivery;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Runs.FollowUps;

/// <summary>Writes the prompt of a new agent after its purpose, which stands in its document as its summary.</summary>
/// <param name="OrgId">As the wire of whoever made it names the organization: his page listens by that.</param>
/// <param name="VersionId">Its first version.</param>
/// <param name="NameIt">Nobody gave it a name.</param>
internal sealed record ConfigureAgent(Guid OrganizationId, string OrgId, string AgentId, string VersionId, bool NameIt)
{
    public const string Kind = "gateway.configure_agent";
}

internal sealed class ConfigureAgentHandler(
    GatewayDb db, SideRuns side, BuiltInAgents agents, EditorPushes pages, TimeProvider time) : IJobHandler<ConfigureAgent>
{
    private static readonly string[] Parts = ["role", "goal", "instruction"];

    public async Task RunAsync(ConfigureAgent job, JobContext context, CancellationToken ct)
    {
        var purpose = (await db.Agents.AsNoTracking().FirstOrDefaultAsync(
            one => one.Id == job.AgentId && one.OrganizationId == job.OrganizationId && one.DeletedAt == null,
            ct))?.Document.Name("bridge_summary");
        if (purpose is null
            || await side.OpenAsync(
                job.OrganizationId, job.AgentId, job.VersionId, new() { ["user"] = purpose }, context.JobId.ToString(), ct) is not { } run
            || await agents.AskForObjectAsync(run, BuiltInAgents.ConfigurePrompt, purpose, ct) is not { } said
            || !Parts.Any(part => said.Name(part) is not null))
        {
            return;
        }
        var prompt = new JsonObject(Parts.Select(part => KeyValuePair.Create(part, (JsonNode?)StoredText.Clean(said.Text(part) ?? ""))));
        if (await WriteAsync(job, prompt, said.Name("name"), ct))
        {
            await pages.AgentUpdatedAsync(job.OrganizationId, job.OrgId, job.AgentId, job.VersionId, ct);
        }
    }

    /// <summary>Only where nobody has written a prompt meanwhile; so a second time changes nothing.</summary>
    private async Task<bool> WriteAsync(ConfigureAgent job, JsonObject prompt, string? name, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var agent = await db.Agents
            .FromSql($"select * from gateway.agents where id = {job.AgentId} and organization_id = {job.OrganizationId} and deleted_at is null for update")
            .FirstOrDefaultAsync(ct);
        var version = await db.AgentVersions
            .FromSql($"select * from gateway.agent_versions where id = {job.VersionId} and organization_id = {job.OrganizationId} and deleted_at is null for update")
            .FirstOrDefaultAsync(ct);
        if (agent is not { PublishedVersionId: null } || version?.AgentId != agent.Id || AgentWords.OfPrompt(version.Document) is not null)
        {
            return false;
        }
        var now = time.GetUtcNow();
        var kept = new AgentPrompt
        {
            Id = Guid.CreateVersion7(now), OrganizationId = agent.OrganizationId, AgentId = agent.Id,
            Document = new() { ["system_prompt"] = prompt.DeepClone() }, CreatedAt = now,
        };
        db.AgentPrompts.Add(kept);
        db.AgentChanges.Add(new()
        {
            Id = Guid.CreateVersion7(now), OrganizationId = agent.OrganizationId,
            AgentId = agent.Id, VersionId = version.Id, Kind = "prompt", At = now,
        });
        version.Document = With(version.Document, prompt, kept.Id);
        agent.Document = With(agent.Document, prompt, kept.Id);
        if (job.NameIt && StoredText.Clean(name ?? "").Trim() is { Length: > 0 and <= AgentNames.MaxLength } better
            && agent.Name.StartsWith(AgentNames.Untitled, StringComparison.Ordinal))
        {
            agent.Name = better;
        }
        (agent.UpdatedAt, version.UpdatedAt) = (now, now);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    private static JsonObject With(JsonObject document, JsonObject prompt, Guid promptId)
    {
        var changed = document.DeepClone().AsObject();
        if (changed["configuration"] is not JsonObject configuration)
        {
            changed["configuration"] = configuration = [];
        }
        configuration["prompt"] = prompt.DeepClone();
        configuration["system_prompt_version_id"] = promptId.ToString();
        return changed;
    }
}
