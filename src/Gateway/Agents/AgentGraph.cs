using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;

namespace Stoa.Gateway.Agents;

/// <summary>Who calls whom among the agents around one of them, in both directions; circles end where they began.</summary>
internal sealed class AgentGraph(GatewayDb db)
{
    private const int MaxAgents = 500;

    public async Task<JsonObject> AroundAsync(GtwyCaller caller, AgentVersion version, Agent start, CancellationToken ct)
    {
        var graph = new JsonObject();
        var below = Targets(version.Document).ToList();
        Add(graph, start, below);
        await DownAsync(caller.OrganizationId, graph, below, ct);
        await UpAsync(caller.OrganizationId, graph, [start.Id], ct);
        return graph;
    }

    private async Task DownAsync(Guid organizationId, JsonObject graph, List<string> level, CancellationToken ct)
    {
        while (level.Where(id => !graph.ContainsKey(id)).Distinct(StringComparer.Ordinal).ToList() is { Count: > 0 } next
            && graph.Count < MaxAgents)
        {
            var agents = await db.Agents.AsNoTracking()
                .Where(agent => next.Contains(agent.Id) && agent.OrganizationId == organizationId && agent.DeletedAt == null)
                .ToListAsync(ct);
            foreach (var agent in agents)
            {
                Add(graph, agent, Targets(agent.Document));
            }
            level = [.. agents.SelectMany(agent => Targets(agent.Document))];
        }
    }

    private async Task UpAsync(Guid organizationId, JsonObject graph, string[] level, CancellationToken ct)
    {
        HashSet<string> seen = [.. level];
        while (level.Length > 0 && graph.Count < MaxAgents)
        {
            var above = await db.Agents.FromSql($"""
                select * from gateway.agents where organization_id = {organizationId} and deleted_at is null
                  and exists (select from jsonb_each(coalesce(document -> 'connected_agents', jsonb_build_object())) link
                              where coalesce(link.value ->> 'bridge_id', link.value ->> 'agent_id') = any({level}))
                """).AsNoTracking().Where(agent => !seen.Contains(agent.Id)).ToListAsync(ct);
            foreach (var agent in above.Where(agent => !graph.ContainsKey(agent.Id)))
            {
                Add(graph, agent, Targets(agent.Document));
            }
            level = [.. above.Select(agent => agent.Id)];
            seen.UnionWith(level);
        }
    }

    private static IEnumerable<string> Targets(JsonObject document) =>
        (document["connected_agents"] as JsonObject ?? []).Select(link => References.AgentOf(link.Value))
            .Where(id => id.Length > 0).Distinct(StringComparer.Ordinal);

    private static void Add(JsonObject graph, Agent agent, IEnumerable<string> targets) => graph[agent.Id] = new JsonObject
    {
        ["agent_id"] = agent.Id,
        ["name"] = agent.Name,
        ["slugName"] = agent.Slug,
        ["published_version_id"] = agent.PublishedVersionId,
        ["connected_agents"] = new JsonArray([.. targets.Select(target => JsonValue.Create(target))]),
    };
}
