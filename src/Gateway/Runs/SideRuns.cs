using System.Text.Json.Nodes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>
/// Runs that belong to another one: small questions about it, with its agent's model and key. They are metered, not logged.
/// </summary>
internal sealed class SideRuns(RunPlans plans, TimeProvider time)
{
    /// <summary>Null when the agent can no longer run.</summary>
    public async Task<Run?> OpenAsync(
        Guid organizationId, string? agentId, string? versionId, JsonObject body, string messageId, CancellationToken ct)
    {
        var request = new RunRequest
        {
            OrganizationId = organizationId,
            Caller = new(organizationId.ToString(), UserId: null),
            Body = body,
            AgentId = agentId,
            VersionId = versionId,
            MessageId = messageId,
            RequestId = messageId,
        };
        var input = new RunInput(body);
        try
        {
            var now = time.GetUtcNow();
            var plan = await plans.FindAsync(request, input, ct);
            return new(request, input, plan, Guid.CreateVersion7(now), time.GetTimestamp(), now)
            {
                Variables = new(body.Object("variables"), plan.VariablesState, input.User, now),
            };
        }
        catch (Failure failure) when (failure.Kind == FailureKind.Invalid)
        {
            return null;
        }
    }
}
