using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.Runs.FollowUps;
using Stoa.Gateway.Secrets;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Agents;

/// <summary>Versions of agents. An agent is always locked before its versions, so that two changes never wait for each other.</summary>
internal sealed class VersionStore(
    GatewayDb db, AgentStore agents, ModelStore models, ServiceRegistry services,
    References references, DocumentSeal seal, IOptions<GatewayOptions> options,
    TimeProvider time)
{
    /// <summary>With the agent whose it is.</summary>
    public async Task<(AgentVersion Version, Agent Agent)> FindAsync(GtwyCaller caller, string id, CancellationToken ct)
    {
        return await SeeAsync(caller, id, ct) is { } version
            && await agents.FindAsync(caller, version.AgentId, ct) is { DeletedAt: null } agent
            ? (version, agent)
            : throw Missing();
    }

    /// <summary>For a change of an agent and its version, in a transaction that is open.</summary>
    public async Task<(AgentVersion Version, Agent Agent)> LockAsync(GtwyCaller caller, string id, CancellationToken ct)
    {
        var found = await SeeAsync(caller, id, ct) ?? throw caller.Missing(Missing());
        var agent = await agents.LockAsync(caller, found.AgentId, ct);
        var version = await db.AgentVersions
            .FromSql($"""
                select * from gateway.agent_versions
                where id = {id} and organization_id = {caller.OrganizationId} and deleted_at is null for update
                """)
            .FirstOrDefaultAsync(ct) ?? throw caller.Missing(Missing());
        return (version, agent);
    }

    public async Task<string> CreateAsync(GtwyCaller caller, string sourceId, string? description, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (source, agent) = await LockAsync(caller, sourceId, ct);
        var now = time.GetUtcNow();
        var document = (JsonObject)source.Document.DeepClone();
        document["version_description"] = description;
        var made = new AgentVersion
        {
            Id = HexId.Create(time),
            OrganizationId = caller.OrganizationId,
            AgentId = agent.Id,
            IsDraft = true,
            Document = document,
            CreatedAt = now,
            UpdatedAt = now,
        };
        db.AgentVersions.Add(made);
        agents.Note(caller, agent.Id, made.Id, "Version created");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return made.Id;
    }

    /// <param name="body">In the settings generation.</param>
    public async Task<(AgentVersion Version, Agent Agent)> UpdateAsync(GtwyCaller caller, string id, JsonObject body, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (version, agent) = await LockAsync(caller, id, ct);
        var change = DocumentChange.Apply(seal.Opened(version.Document), body);
        await ChangeModelAsync(caller, version.Document, change, body, ct);
        await references.CheckAsync(caller, change, ct);
        KeepPrompt(change, agent);
        version.Document = seal.Sealed(change.Document.Bounded());
        if (!body.ContainsKey("version_description"))
        {
            version.IsDraft = true;
        }
        version.UpdatedAt = time.GetUtcNow();
        foreach (var field in change.Fields.Distinct(StringComparer.Ordinal))
        {
            agents.Note(caller, agent.Id, id, field);
        }
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return (version, agent);
    }

    public async Task DeleteAsync(GtwyCaller caller, string id, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (version, agent) = await LockAsync(caller, id, ct);
        if (agent.PublishedVersionId == id)
        {
            throw Failure.Invalid("The published version cannot be deleted", code: "version_published");
        }
        version.DeletedAt = time.GetUtcNow();
        agents.Note(caller, agent.Id, id, "Version deleted");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>The agent, its new and its former published version change together or not at all.</summary>
    /// <param name="withSummary">Whether its summary is made anew; null: where it has none.</param>
    public async Task<Agent> PublishAsync(GtwyCaller caller, string id, bool? withSummary, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (version, agent) = await LockAsync(caller, id, ct);
        var former = agent.PublishedVersionId;
        // Sealed anew: it may have been written before there was a seal.
        agent.Document = seal.Sealed(seal.Opened(Publishing.Of(version.Document, agent.Document)));
        agent.PublishedVersionId = id;
        agent.UpdatedAt = time.GetUtcNow();
        version.IsDraft = false;
        agents.Note(caller, agent.Id, id, "Version published");
        if (options.Value.DescribeAgents)
        {
            db.Enqueue(new DescribeAgent(caller.OrganizationId, caller.OrgId, agent.Id, id, withSummary),
                new() { Owner = new(caller.OrganizationId) });
        }
        await db.SaveChangesAsync(ct);
        if (former is not null && former != id)
        {
            await db.AgentVersions.Where(other => other.Id == former && other.AgentId == agent.Id)
                .ExecuteUpdateAsync(set => set.SetProperty(other => other.IsDraft, true), ct);
        }
        await transaction.CommitAsync(ct);
        return agent;
    }

    /// <summary>The draft becomes what is published.</summary>
    public async Task DiscardAsync(GtwyCaller caller, string id, string agentId, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (version, agent) = await LockAsync(caller, id, ct);
        if (agent.Id != agentId)
        {
            throw Missing();
        }
        var document = (JsonObject)agent.Document.DeepClone();
        document["version_description"] = version.Document["version_description"]?.DeepClone();
        version.Document = document;
        version.IsDraft = agent.PublishedVersionId != id;
        version.UpdatedAt = time.GetUtcNow();
        agents.Note(caller, agent.Id, id, "Version changes discarded");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    public static Failure Missing() => new(FailureKind.NotFound, "not_found", "Version not found");

    /// <summary>Every prompt that an agent ever had stays readable by its id.</summary>
    private void KeepPrompt(DocumentChange change, Agent agent)
    {
        if (!change.Fields.Contains("prompt") || (change.Document["configuration"] as JsonObject)?["prompt"] is not { } prompt)
        {
            return;
        }
        var now = time.GetUtcNow();
        var kept = new AgentPrompt
        {
            Id = Guid.CreateVersion7(now),
            OrganizationId = agent.OrganizationId,
            AgentId = agent.Id,
            Document = new() { ["system_prompt"] = prompt.DeepClone() },
            CreatedAt = now,
        };
        db.AgentPrompts.Add(kept);
        change.Document["configuration"]!["system_prompt_version_id"] = kept.Id.ToString();
    }

    private async Task<AgentVersion?> SeeAsync(GtwyCaller caller, string id, CancellationToken ct) => !HexId.IsOne(id) ? null
        : await db.AgentVersions.AsNoTracking().FirstOrDefaultAsync(
            version => version.Id == id && version.OrganizationId == caller.OrganizationId && version.DeletedAt == null, ct);

    private async Task ChangeModelAsync(GtwyCaller caller, JsonObject before, DocumentChange change, JsonObject body, CancellationToken ct)
    {
        var oldService = before.Text("service");
        var service = body.Text("service", 64) is { Length: > 0 } given ? given : oldService;
        if (service != oldService && services.Find(service) is null)
        {
            throw GtwyFields.Wrong("service", "is none of the services");
        }
        change.Set("service", service is null ? null : JsonValue.Create(service));
        var oldModel = (before["configuration"] as JsonObject)?.Text("model");
        var configuration = change.Document.ObjectOrNew("configuration");
        var model = body.Object("configuration")?.Text("model");
        if (service != oldService && model is null)
        {
            model = services.Find(service)!.DefaultModel;
        }
        if (service is null || model is null || (model == oldModel && service == oldService))
        {
            return;
        }
        if (await models.FindAsync(caller.OrganizationId, service, model, ct) is not { } next || !next.IsUsableBy(caller.OrganizationId))
        {
            throw ConfigurationFailures.ModelMissing();
        }
        var old = oldService is null || oldModel is null ? null : await models.FindAsync(caller.OrganizationId, oldService, oldModel, ct);
        change.Set("configuration", ModelParameters.Rederive(old, next, configuration));
    }
}
