using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Folders;
using Stoa.Gateway.Runs.FollowUps;
using Stoa.Gateway.Secrets;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Agents;

/// <summary>
/// Agents of an organization; an embedded user sees those of his folder alone. What is deleted stays for 30 days and can be restored.
/// </summary>
internal sealed class AgentStore(
    GatewayDb db, ModelStore models, ServiceRegistry services, DocumentSeal seal, IOptions<GatewayOptions> options, TimeProvider time)
{
    /// <summary>To find a name that nobody takes at the same time.</summary>
    public const int MaxAttempts = 20;

    private const string Preview = "chatbot_preview";
    private const string FirstService = "openai";

    public Task<List<Agent>> ListAsync(GtwyCaller caller, int? page, int? limit, CancellationToken ct)
    {
        var agents = Of(caller).AsNoTracking().Where(agent => agent.Slug != Preview)
            .OrderByDescending(agent => agent.CreatedAt).ThenBy(agent => agent.Id);
        return limit is { } most ? agents.Skip(((page ?? 1) - 1) * most).Take(most).ToListAsync(ct) : agents.ToListAsync(ct);
    }

    /// <summary>Also one that is deleted.</summary>
    public Task<Agent?> FindAsync(GtwyCaller caller, string id, CancellationToken ct) =>
        HexId.IsOne(id) ? Of(caller).AsNoTracking().FirstOrDefaultAsync(agent => agent.Id == id, ct) : Task.FromResult<Agent?>(null);

    /// <summary>One that is not deleted, for a change: nobody else changes it until the transaction ends.</summary>
    public async Task<Agent> LockAsync(GtwyCaller caller, string id, CancellationToken ct, bool alsoDeleted = false)
    {
        var agent = !HexId.IsOne(id) ? null : await db.Agents
            .FromSql($"select * from gateway.agents where id = {id} and organization_id = {caller.OrganizationId} for update")
            .FirstOrDefaultAsync(ct);
        if (agent is null || (agent.DeletedAt is not null && !alsoDeleted) || (caller.FolderId is { } folder && agent.FolderId != folder))
        {
            throw caller.Missing(Missing());
        }
        caller.RequireEditor(AgentEditors.Of(agent));
        return agent;
    }

    public async Task<Dictionary<string, List<string>>> VersionsAsync(
        Guid organizationId, IReadOnlyCollection<string> agents, CancellationToken ct)
    {
        var versions = await db.AgentVersions.AsNoTracking()
            .Where(version => agents.Contains(version.AgentId) && version.OrganizationId == organizationId && version.DeletedAt == null)
            .OrderBy(version => version.CreatedAt).ThenBy(version => version.Id)
            .Select(version => new { version.AgentId, version.Id }).ToListAsync(ct);
        return versions.GroupBy(version => version.AgentId, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Select(version => version.Id).ToList(), StringComparer.Ordinal);
    }

    /// <summary>An agent with a first version of the same document.</summary>
    public async Task<Agent> CreateAsync(GtwyCaller caller, NewAgent wanted, CancellationToken ct)
    {
        var folderId = caller.FolderId ?? wanted.FolderId;
        var folder = await FolderAsync(caller.OrganizationId, folderId, ct);
        var (model, keys) = await FirstModelAsync(caller.OrganizationId, folder, ct);
        // Where somebody takes the name at the same time, the next free one.
        for (var attempt = 1; ; attempt++)
        {
            var names = await FreeNamesAsync(caller.OrganizationId, wanted.Name, wanted.Slug, ct);
            var now = time.GetUtcNow();
            var agent = new Agent
            {
                Id = HexId.Create(time),
                OrganizationId = caller.OrganizationId,
                Name = names.Name,
                Slug = names.Slug,
                Kind = wanted.Kind,
                IsPaused = false,
                FolderId = folderId,
                Document = seal.Sealed(wanted.ToDocument(model, keys, caller.UserId, now)),
                CreatedAt = now,
                UpdatedAt = now,
            };
            var version = new AgentVersion
            {
                Id = HexId.Create(time),
                OrganizationId = caller.OrganizationId,
                AgentId = agent.Id,
                IsDraft = true,
                Document = seal.Sealed(wanted.ToDocument(model, keys, caller.UserId, now)),
                CreatedAt = now,
                UpdatedAt = now,
            };
            db.Agents.Add(agent);
            db.AgentVersions.Add(version);
            Note(caller, agent.Id, version.Id, "Version created");
            Note(caller, agent.Id, null, "Agent created");
            if (!string.IsNullOrWhiteSpace(wanted.Purpose) && options.Value.DescribeAgents)
            {
                db.Enqueue(
                    new ConfigureAgent(caller.OrganizationId, caller.OrgId, agent.Id, version.Id, NameIt: wanted.Name is null),
                    new() { Owner = new(caller.OrganizationId) });
            }
            if (await db.TrySaveAsync(ct) == Saved.Kept)
            {
                return agent;
            }
            if (attempt == MaxAttempts)
            {
                throw NameTaken();
            }
        }
    }

    /// <returns>How many versions went with it.</returns>
    public async Task<int> DeleteAsync(GtwyCaller caller, string id, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var agent = await LockAsync(caller, id, ct);
        DateTimeOffset? now = time.GetUtcNow();
        agent.DeletedAt = now;
        Note(caller, id, null, "Agent deleted");
        await db.SaveChangesAsync(ct);
        var count = await db.AgentVersions.Where(version => version.AgentId == id && version.DeletedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(version => version.DeletedAt, now), ct);
        await transaction.CommitAsync(ct);
        return count;
    }

    /// <returns>How many versions came back with it.</returns>
    public async Task<int> RestoreAsync(GtwyCaller caller, string id, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var agent = await LockAsync(caller, id, ct, alsoDeleted: true);
        var deletedAt = agent.DeletedAt ?? throw Missing();
        agent.DeletedAt = null;
        Note(caller, id, null, "Agent restored");
        await db.SaveChangesAsync(ct);
        var count = await db.AgentVersions.Where(version => version.AgentId == id && version.DeletedAt == deletedAt)
            .ExecuteUpdateAsync(set => set.SetProperty(version => version.DeletedAt, (DateTimeOffset?)null), ct);
        await transaction.CommitAsync(ct);
        return count;
    }

    /// <summary>For good, with its versions and test cases.</summary>
    public async Task EraseAsync(GtwyCaller caller, string id, CancellationToken ct)
    {
        if (!HexId.IsOne(id) || await Of(caller).Where(agent => agent.Id == id).ExecuteDeleteAsync(ct) == 0)
        {
            throw Missing();
        }
    }

    public async Task SaveAsync(GtwyCaller caller, Agent agent, IEnumerable<string> changed, CancellationToken ct)
    {
        foreach (var field in changed.Distinct(StringComparer.Ordinal))
        {
            Note(caller, agent.Id, null, field);
        }
        agent.UpdatedAt = time.GetUtcNow();
        if (await db.TrySaveAsync(ct) != Saved.Kept)
        {
            throw Failure.Invalid("slugName is taken by another agent", "slugName", "slug_taken");
        }
    }

    public async Task<Folder?> FolderAsync(Guid organizationId, string? id, CancellationToken ct) => string.IsNullOrEmpty(id) ? null
        : await db.Folders.AsNoTracking().FirstOrDefaultAsync(folder => folder.Id == id && folder.OrganizationId == organizationId, ct)
            ?? throw Failure.NotFound("Folder");

    public Task<DateTimeOffset?> LastUseAsync(
        Guid organizationId, string id, CancellationToken ct) => db.Database.SqlQuery<DateTimeOffset?>(
        $"""select at as "Value" from gateway.last_uses where id = {id} and organization_id = {organizationId}""").FirstOrDefaultAsync(ct);

    public Task<List<LastUse>> LastUsesAsync(Guid organizationId, CancellationToken ct) =>
        db.Database.SqlQuery<LastUse>($"select id, at from gateway.last_uses where organization_id = {organizationId}").ToListAsync(ct);

    public void Note(GtwyCaller caller, string agentId, string? versionId, string kind)
    {
        var now = time.GetUtcNow();
        db.AgentChanges.Add(new()
        {
            Id = Guid.CreateVersion7(now),
            OrganizationId = caller.OrganizationId,
            AgentId = agentId,
            VersionId = versionId,
            UserId = caller.UserId,
            Kind = kind,
            At = now,
        });
    }

    public static Failure Missing() => Failure.NotFound("Agent");

    public static Failure NameTaken() => new(FailureKind.Conflict, "slug_taken", "The name is taken");

    private IQueryable<Agent> Of(GtwyCaller caller)
    {
        var agents = db.Agents.Where(agent => agent.OrganizationId == caller.OrganizationId);
        return caller.FolderId is { } folder ? agents.Where(agent => agent.FolderId == folder) : agents;
    }

    private async Task<(string Name, string Slug)> FreeNamesAsync(Guid organizationId, string? name, string? slug, CancellationToken ct)
    {
        var wantedName = name ?? AgentNames.Untitled;
        var wantedSlug = slug ?? AgentNames.SlugOf(wantedName);
        var taken = await db.Agents.AsNoTracking().Where(agent => agent.OrganizationId == organizationId)
            .Where(agent => agent.Name.StartsWith(wantedName) || agent.Slug.StartsWith(wantedSlug))
            .Select(agent => new { agent.Name, agent.Slug }).ToListAsync(ct);
        var names = taken.Select(agent => agent.Name).ToHashSet(StringComparer.Ordinal);
        var slugs = taken.Select(agent => agent.Slug).ToHashSet(StringComparer.Ordinal);
        return (name ?? AgentNames.Free(wantedName, names), AgentNames.Free(wantedSlug, slugs));
    }

    /// <summary>A folder that has keys starts its agents with the first service it has one for.</summary>
    private async Task<(ModelDocument Model, JsonObject? Keys)> FirstModelAsync(Guid organizationId, Folder? folder, CancellationToken ct)
    {
        var keys = folder?.Document["apikey_object_id"] as JsonObject;
        var service = services.Find(keys?.FirstOrDefault().Key) ?? services.Find(FirstService)!;
        return (await models.FindAsync(organizationId, service.Name, service.DefaultModel ?? "", ct)
            ?? throw ConfigurationFailures.ModelMissing(), keys);
    }

    internal sealed record LastUse(string Id, DateTimeOffset At);
}
