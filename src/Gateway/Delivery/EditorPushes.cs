using System.Text.Json.Nodes;
using Stoa.Gateway.Auth;
using Stoa.Gateway.History;
using Stoa.Gateway.Runs;

namespace Stoa.Gateway.Delivery;

/// <summary>Tells the open pages of the front end what has changed, in the words of GTWY's wire. Whoever is not listening misses nothing.</summary>
internal sealed class EditorPushes(PushPublisher push, TimeProvider time)
{
    private const string OfModels = "global_model_updates";

    public Task AgentUpdatedAsync(GtwyCaller caller, string agentId, string? versionId, CancellationToken ct) => TellAsync(
        caller.OrganizationId, $"{caller.OrgId}{agentId}",
        new() { ["type"] = "agent_updated", ["bridge_id"] = agentId, ["version_id"] = versionId }, ct);

    /// <param name="agent">As clients read it.</param>
    public Task AgentCreatedAsync(GtwyCaller caller, JsonObject agent, CancellationToken ct) => TellAsync(
        caller.OrganizationId, $"org_{caller.OrgId}_{caller.UserId}",
        new() { ["type"] = "agent_created", ["user_id"] = caller.UserId, ["agent"] = agent.DeepClone() }, ct);

    /// <summary>For the page that shows an agent's history.</summary>
    public Task RunLoggedAsync(AgentRun run, string orgId, CancellationToken ct) =>
        TellAsync(run.OrganizationId, $"{orgId}{run.AgentId}", ConversationLog.Of(run, orgId), ct);

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
