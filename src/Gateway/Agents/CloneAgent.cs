using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Secrets;
using Stoa.Gateway.Tools;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Agents;

/// <summary>
/// Copies an agent to another organization: its versions, functions and connected agents, each once; no keys. All or nothing. Only to
/// one's own organization, or to one where the caller is a member who may make agents. What signs in elsewhere stays in its organization.
/// </summary>
internal sealed class CloneAgent(GatewayDb db, IdentityDb identity, AgentStore agents, DocumentSeal seal, TimeProvider time)
{
    private const int MaxAgents = 50;

    public async Task<Clone> RunAsync(GtwyCaller caller, string agentId, string targetOrgId, CancellationToken ct)
    {
        if (await agents.FindAsync(caller, agentId, ct) is not { DeletedAt: null })
        {
            throw AgentStore.Missing();
        }
        var target = await TargetAsync(caller, targetOrgId, ct);
        for (var attempt = 1; attempt <= AgentStore.MaxAttempts; attempt++)
        {
            if (await CopyAllAsync(caller, agentId, target, ct) is { } made)
            {
                return made;
            }
        }
        throw AgentStore.NameTaken();
    }

    /// <summary>Null when somebody took one of the names at the same time; nothing was copied then.</summary>
    private async Task<Clone?> CopyAllAsync(GtwyCaller caller, string agentId, Guid target, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var sources = await ConnectedAsync(caller, agentId, ct);
        var missing = new JsonArray();
        var tools = target == caller.OrganizationId ? [] : await CopyToolsAsync(caller, target, sources, missing, ct);
        var ids = sources.ToDictionary(source => source.Id, _ => HexId.Create(time), StringComparer.Ordinal);
        foreach (var source in sources)
        {
            await CopyAsync(caller, source, target, ids, tools, missing, ct);
        }
        if (await db.TrySaveAsync(ct) != Saved.Kept)
        {
            return null;
        }
        await transaction.CommitAsync(ct);
        return new(ids[agentId], missing);
    }

    private async Task<Guid> TargetAsync(GtwyCaller caller, string orgId, CancellationToken ct)
    {
        if (orgId == caller.OrgId)
        {
            return caller.OrganizationId;
        }
        var mayWrite = Guid.TryParse(orgId, out var target) && Guid.TryParse(caller.UserId, out var person)
            && await identity.Memberships.AnyAsync(
                member => member.OrganizationId == target && member.PersonId == person && member.Role != MemberRole.Viewer, ct);
        return mayWrite ? target : throw Failure.Forbidden("You don't have access");
    }

    private async Task<List<Agent>> ConnectedAsync(GtwyCaller caller, string agentId, CancellationToken ct)
    {
        var found = new Dictionary<string, Agent>(StringComparer.Ordinal);
        List<string> next = [agentId];
        while (next.Count > 0)
        {
            var level = await db.Agents.AsNoTracking()
                .Where(agent => next.Contains(agent.Id) && agent.OrganizationId == caller.OrganizationId && agent.DeletedAt == null)
                .ToListAsync(ct);
            foreach (var agent in level)
            {
                found[agent.Id] = agent;
            }
            if (found.Count > MaxAgents)
            {
                throw Failure.Invalid($"More than {MaxAgents} agents are connected", code: "too_many_agents");
            }
            next = [.. level.SelectMany(agent => (agent.Document["connected_agents"] as JsonObject ?? [])
                .Select(link => References.AgentOf(link.Value)))
                .Where(id => !found.ContainsKey(id)).Distinct(StringComparer.Ordinal)];
        }
        return [.. found.Values];
    }

    private async Task<Dictionary<string, string>> CopyToolsAsync(
        GtwyCaller caller, Guid target, List<Agent> sources, JsonArray missing, CancellationToken ct)
    {
        var agentIds = sources.ConvertAll(source => source.Id);
        var versions = await db.AgentVersions.AsNoTracking()
            .Where(version => agentIds.Contains(version.AgentId) && version.DeletedAt == null)
            .Select(version => version.Document).ToListAsync(ct);
        var ids = sources.Select(source => source.Document).Concat(versions)
            .SelectMany(ToolStore.IdsOf).Distinct(StringComparer.Ordinal).ToList();
        var tools = await db.Tools.AsNoTracking()
            .Where(tool => ids.Contains(tool.Id) && tool.OrganizationId == caller.OrganizationId).ToListAsync(ct);
        var scripts = tools.ConvertAll(tool => tool.ScriptId);
        var there = await db.Tools.AsNoTracking().Where(tool => tool.OrganizationId == target && scripts.Contains(tool.ScriptId))
            .ToDictionaryAsync(tool => tool.ScriptId, tool => tool.Id, ct);
        var copies = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var tool in tools)
        {
            if (!there.TryGetValue(tool.ScriptId, out var id))
            {
                id = HexId.Create(time);
                var document = seal.Opened(tool.Document);
                Tell(missing, "function", id, tool.Title, DocumentCredentials.TakeFromTool(document));
                db.Tools.Add(tool with
                {
                    Id = id,
                    OrganizationId = target,
                    Document = seal.Sealed(document),
                    CreatedAt = time.GetUtcNow(),
                    UpdatedAt = time.GetUtcNow(),
                });
            }
            copies[tool.Id] = id;
        }
        return copies;
    }

    private async Task CopyAsync(
        GtwyCaller caller, Agent source, Guid target, Dictionary<string, string> agentIds,
        Dictionary<string, string> tools, JsonArray missing,
        CancellationToken ct)
    {
        var slugs = await db.Agents.AsNoTracking().Where(agent => agent.OrganizationId == target && agent.Slug.StartsWith(source.Slug))
            .Select(agent => agent.Slug).ToListAsync(ct);
        var versions = await db.AgentVersions.AsNoTracking()
            .Where(version => version.AgentId == source.Id && version.DeletedAt == null).ToListAsync(ct);
        var versionIds = versions.ToDictionary(version => version.Id, _ => HexId.Create(time), StringComparer.Ordinal);
        var now = time.GetUtcNow();
        var id = agentIds[source.Id];
        var taken = new List<string>();
        JsonObject CopyOf(JsonObject document)
        {
            var copy = Copied(document, agentIds, tools, versionIds);
            if (target == caller.OrganizationId)
            {
                return copy;
            }
            var open = seal.Opened(copy);
            taken.AddRange(DocumentCredentials.TakeReceivers(open));
            taken.AddRange(DocumentCredentials.TakeFromAgent(open));
            return seal.Sealed(open);
        }

        db.Agents.Add(source with
        {
            Id = id,
            OrganizationId = target,
            Slug = AgentNames.Free(source.Slug, [.. slugs, .. db.Agents.Local.Select(agent => agent.Slug)]),
            FolderId = target == caller.OrganizationId ? source.FolderId : null,
            PublishedVersionId = source.PublishedVersionId is { } published ? versionIds.GetValueOrDefault(published) : null,
            Document = CopyOf(source.Document),
            CreatedAt = now,
            UpdatedAt = now,
        });
        db.AgentVersions.AddRange(versions.ConvertAll(version => version with
        {
            Id = versionIds[version.Id],
            OrganizationId = target,
            AgentId = id,
            Document = CopyOf(version.Document),
            CreatedAt = now,
            UpdatedAt = now,
        }));
        Tell(missing, "agent", id, source.Name, taken);
        agents.Note(caller with { OrganizationId = target }, id, null, "Agent cloned");
    }

    private static void Tell(JsonArray missing, string type, string id, string name, List<string> fields)
    {
        if (fields.Count > 0)
        {
            missing.Add((JsonNode)new JsonObject
            {
                ["type"] = type, ["id"] = id, ["name"] = name,
                ["fields"] = new JsonArray([.. fields.Distinct(StringComparer.Ordinal).Select(field => (JsonNode)field)]),
            });
        }
    }

    private static JsonObject Copied(
        JsonObject document, Dictionary<string, string> agents, Dictionary<string, string> tools, Dictionary<string, string> versions)
    {
        var copy = (JsonObject)document.DeepClone();
        copy["apikey_object_id"] = new JsonObject();
        copy.Remove("bridge_usage");
        copy.Remove("bridge_usage_set_at");
        if (tools.Count > 0)
        {
            copy["function_ids"] = new JsonArray(
                [.. ToolStore.IdsOf(document).Select(id => tools.GetValueOrDefault(id))
                    .OfType<string>().Select(id => JsonValue.Create(id))]);
        }
        foreach (var link in (copy["connected_agents"] as JsonObject ?? []).Select(link => link.Value).OfType<JsonObject>())
        {
            if (agents.TryGetValue(References.AgentOf(link), out var agent))
            {
                link["bridge_id"] = agent;
                link.Remove("agent_id");
                link.Remove("version_id");
            }
        }
        foreach (var chosen in (copy["settings"]?["environment_config"] as JsonObject ?? []).Select(one => one.Value).OfType<JsonObject>())
        {
            chosen["version_id"] = versions.GetValueOrDefault(chosen["version_id"]?.ToString() ?? "");
        }
        return copy;
    }

    /// <param name="Missing">Credentials that were not copied, <c>[{type, id, name, fields[]}]</c>: whoever runs the copy enters his
    /// own.</param>
    internal sealed record Clone(string AgentId, JsonArray Missing);
}
