using System.Text.Json.Nodes;

namespace Stoa.Gateway.Agents;

/// <summary>That an agent, or a version of it, has something: a key, a function, a model.</summary>
/// <param name="What">The id of what it has.</param>
/// <param name="VersionId">Null for the agent itself.</param>
internal sealed record AgentUse(string? What, string AgentId, string? VersionId, string Name)
{
    /// <summary><c>{agents: [{_id, name}], versions: [{_id, bridge_id, name}]}</c>.</summary>
    public static JsonObject Show(IEnumerable<AgentUse> uses)
    {
        var (agents, versions) = (new JsonArray(), new JsonArray());
        foreach (var use in uses)
        {
            if (use.VersionId is null)
            {
                agents.Add((JsonNode)new JsonObject { ["_id"] = use.AgentId, ["name"] = use.Name });
                continue;
            }
            versions.Add((JsonNode)new JsonObject { ["_id"] = use.VersionId, ["bridge_id"] = use.AgentId, ["name"] = use.Name });
        }
        return new() { ["agents"] = agents, ["versions"] = versions };
    }
}
