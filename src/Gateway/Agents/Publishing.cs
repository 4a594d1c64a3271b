using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects.Gtwy;

namespace Stoa.Gateway.Agents;

/// <summary>What an agent becomes when a version of it is published.</summary>
internal static class Publishing
{
    /// <summary>
    /// The version's document with what is the agent's own, and with the variables that it wants from its callers computed anew.
    /// </summary>
    public static JsonObject Of(JsonObject version, JsonObject agent)
    {
        var published = AgentLevel.Over(version, agent);
        var info = published.ObjectOrNew("agent_info");
        info["agent_variables"] = AgentVariables.SchemaOf(published);
        info["prompt_total_tokens"] = AgentVariables.TokensOf(published);
        return published;
    }
}
