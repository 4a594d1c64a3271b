using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Platform.Http;

namespace Stoa.Gateway.History;

internal static class KnownAgents
{
    /// <summary>The agents that a caller knows: an embedded user is confined to his folder.</summary>
    public static IQueryable<Agent> AgentsOf(this GatewayDb db, GtwyCaller caller) => db.Agents
        .Where(agent => agent.OrganizationId == caller.OrganizationId && (caller.FolderId == null || agent.FolderId == caller.FolderId));

    /// <summary>Also an agent that was deleted: what it did stays readable.</summary>
    /// <exception cref="Failure">Not found: the caller knows no such agent.</exception>
    public static async Task RequireAgentAsync(this GatewayDb db, GtwyCaller caller, string agentId, CancellationToken ct)
    {
        if (!await db.AgentsOf(caller).AnyAsync(agent => agent.Id == agentId, ct))
        {
            throw Failure.NotFound("Agent");
        }
    }

    /// <summary>The same for whoever is confined to a folder. To all others an agent that is not there just has nothing.</summary>
    /// <exception cref="Failure">Not found: it is not an agent of his folder.</exception>
    public static Task RequireInFolderAsync(this GatewayDb db, GtwyCaller caller, string agentId, CancellationToken ct) =>
        caller.FolderId is null ? Task.CompletedTask : db.RequireAgentAsync(caller, agentId, ct);
}
