using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Agents;

namespace Stoa.Gateway.Configuration;

/// <summary>Which agents and versions of an organization run on a model; what they have is its service.</summary>
internal sealed class ModelUses(GatewayDb db)
{
    public Task<List<AgentUse>> OfAsync(Guid organizationId, string model, CancellationToken ct) => db.Database.SqlQuery<AgentUse>($"""
        select agent.document ->> 'service' as what, agent.id as agent_id, null as version_id, agent.name
        from gateway.agents agent
        where agent.organization_id = {organizationId} and agent.deleted_at is null
          and agent.document -> 'configuration' ->> 'model' = {model}
        union all
        select version.document ->> 'service', agent.id, version.id, agent.name
        from gateway.agents agent join gateway.agent_versions version on version.agent_id = agent.id and version.deleted_at is null
        where agent.organization_id = {organizationId} and agent.deleted_at is null
          and version.document -> 'configuration' ->> 'model' = {model}
        """).ToListAsync(ct);
}
