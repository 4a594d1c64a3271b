using Stoa.Platform.Http;

namespace Stoa.Gateway.Configuration;

/// <summary>Why an agent cannot run, in the words that GTWY's clients look for.</summary>
internal static class ConfigurationFailures
{
    public static Failure AgentMissing() => Failure.Invalid("bridge_id does not exist", "bridge_id", "agent_not_found");

    public static Failure ModelMissing() => Failure.Invalid("model or service does not exist!", "model", "model_not_found");

    public static Failure Paused() => Failure.Invalid("Error in getting data: Bridge is Currently Paused", code: "agent_paused");

    public static Failure KeyMissing() =>
        Failure.Invalid("Error in getting data: Could not find api key or Agent is not Published", code: "key_or_version_missing");

    public static Failure Unresolvable() => Failure.Invalid("Unable to resolve bridge configuration", code: "agent_unresolvable");
}
