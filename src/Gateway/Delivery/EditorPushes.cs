using System.Text.Json.Nodes;
using Stoa.Gateway.Auth;
using Stoa.Gateway.History;
using Stoa.Gateway.Runs;

namespace Stoa.Gateway.Delivery;

/// <summary>
/// Tells the open pages of the front end what has changed, in the words of GTWY's wire. Whoever is not listening misses nothing.
/// </summary>
internal sealed class EditorPushes(PushPublisher push, TimeProvider time)
{
    private const string OfModels = "global_model_updates";

    public Task AgentUpdatedAsync(GtwyCaller caller, string agentId, string? versionId, CancellationToken ct) =>
        AgentUpdatedAsync(caller.OrganizationId, caller.OrgId, agentId, versionId, ct);

    public Task AgentUpdatedAsync(Guid organizationId, string orgId, string agentId, string? versionId, CancellationToken ct) => TellAsync(
        organizationId, $"{orgId}{agentId}",
        new() { ["type"] = "agent_updated", ["bridge_id"] = agentId, ["version_id"] = versionId }, ct);

    /// <param name="agent">As clients read it.</param>
    public Task AgentCreatedAsync(GtwyCaller caller, JsonObject agent, CancellationToken ct) => TellAsync(
        caller.OrganizationId, $"org_{caller.OrgId}_{caller.UserId}",
        new() { ["type"] = "agent_created", ["user_id"] = caller.UserId, ["agent"] = agent.DeepClone() }, ct);

    /// <summary>For the page that shows an agent's history.</summary>
    public Task RunLoggedAsync(AgentRun run, string orgId, CancellationToken ct) =>
        TellAsync(run.OrganizationId, $"{orgId}{run.AgentId}", ConversationLog.Of(run, orgId), ct);

    /// <param name="channel">Where the conversation is listened to: <see cref="ChannelOf"/>, or where its answers are pushed.</param>
    public Task ConversationNamedAsync(
        Guid organizationId, string channel, string threadId, string subThreadId,
        string name, DateTimeOffset createdAt, CancellationToken ct) => TellAsync(
        organizationId, channel,
        new() { ["display_name"] = name, ["threadId"] = threadId, ["subThreadId"] = subThreadId, ["created_at"] = createdAt }, ct);

    /// <inheritdoc cref="ConversationNamedAsync"/>
    public Task SuggestedAsync(Guid organizationId, string channel, JsonArray suggestions, CancellationToken ct) => TellAsync(
        organizationId, channel, new() { ["data"] = new JsonObject { ["suggestions"] = suggestions.DeepClone() } }, ct);

    /// <inheritdoc cref="ConversationNamedAsync"/>
    public Task ConversationResetAsync(Guid organizationId, string channel, CancellationToken ct) => TellAsync(
        organizationId, channel, new() { ["data"] = new JsonObject { ["role"] = "reset" } }, ct);

    public Task AnalyticsAsync(GtwyCaller caller, string agentId, JsonNode? summary, JsonArray charts, CancellationToken ct) => TellAsync(
        caller.OrganizationId, $"{caller.OrgId}_{agentId}",
        new() { ["summary"] = summary?.DeepClone(), ["charts"] = charts.DeepClone() }, ct);

    /// <summary>For the page that tries a version out.</summary>
    public Task TestedAsync(Guid organizationId, string orgId, string agentId, string versionId, JsonObject result, CancellationToken ct) =>
        TellAsync(
        organizationId, $"{orgId}_{agentId}_{versionId}", (JsonObject)result.DeepClone(), ct);

    /// <summary>What the window of a conversation listens to; names that make too long a one have none.</summary>
    /// <param name="bot">The chatbot's id, or the agent's.</param>
    public static string? ChannelOf(string bot, string threadId, string subThreadId) =>
        (bot + threadId + subThreadId).Replace(' ', '_') is { Length: <= PushPublisher.MaxChannel } channel
            && !channel.Contains('\0', StringComparison.Ordinal)
            ? channel : null;

    /// <param name="operation"><c>insert</c>, <c>update</c> or <c>delete</c>.</param>
    public Task ModelsChangedAsync(string operation, string service, CancellationToken ct) => TellAsync(
        Guid.Empty, OfModels,
        new()
        {
            ["event"] = "model_config_updated", ["operation"] = operation, ["service"] = service, ["timestamp"] = time.GetUtcNow(),
        },
        ct);

    private Task TellAsync(Guid organizationId, string channel, JsonObject response, CancellationToken ct) => push.PublishAsync(
        organizationId, channel, new JsonObject { ["response"] = response, ["success"] = true }.Compact(), ttlSeconds: 0, apiKey: null, ct);
}
