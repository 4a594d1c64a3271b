using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects.Gtwy;

namespace Stoa.Gateway.Agents;

/// <summary>What belongs to an agent whatever version of it runs.</summary>
internal static class AgentLevel
{
    private static readonly string[] Fields =
    [
        "user_id", "meta", "bridge_summary", "bridge_limit", "bridge_usage",
        "bridge_usage_set_at", "bridge_limit_reset_period", "bridge_limit_start_date",
        "total_tokens", "ai_updates",
    ];

    private static readonly string[] Settings = ["publicAgentConfig", "publicUsers", "editAccess", "environment_config"];

    /// <summary>The version's document, with the agent's own fields over it.</summary>
    public static JsonObject Over(JsonObject version, JsonObject agent)
    {
        var merged = (JsonObject)version.DeepClone();
        Copy(Fields, agent, merged);
        merged.Remove("version_description");
        Copy(Settings, agent["settings"] as JsonObject ?? [], merged.ObjectOrNew("settings"));
        if (agent["agent_info"]?["description"] is JsonValue description)
        {
            merged.ObjectOrNew("agent_info")["description"] = description.DeepClone();
        }
        return merged;
    }

    private static void Copy(string[] names, JsonObject from, JsonObject to)
    {
        foreach (var name in names)
        {
            to.Remove(name);
            if (from[name] is { } value)
            {
                to[name] = value.DeepClone();
            }
        }
    }
}
