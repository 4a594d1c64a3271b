using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Auth;
using Stoa.Platform.Http;

namespace Stoa.Gateway.History;

internal static class KnownAgents
{
    /// <summary>Also an agent that was deleted: what it did stays readable.</summary>
    /// <exception cref="Failure">Not found: the organization has no such agent.</exception>
    public static async Task RequireAgentAsync(this GatewayDb db, GtwyCaller caller, string agentId, CancellationToken ct)
    {
        if (!await db.Agents.AnyAsync(agent => agent.Id == agentId && agent.OrganizationId == caller.OrganizationId, ct))
        {
            throw Failure.NotFound("Agent");
        }
    }
}
