using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stoa.Gateway.Agents;

internal static class AgentEditors
{
    /// <summary>The users who may change an agent; empty when all editors may.</summary>
    public static HashSet<string> Of(Agent agent) => (agent.Document["settings"]?["editAccess"] as JsonArray ?? [])
        .Select(user => user?.GetValueKind() switch
        {
            JsonValueKind.String => user.GetValue<string>(),
            JsonValueKind.Number => user.ToJsonString(),
            _ => null,
        }).OfType<string>().ToHashSet(StringComparer.Ordinal);
}
