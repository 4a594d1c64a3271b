using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Agents;

/// <summary>Ends what was deleted 30 days ago, once a day.</summary>
internal sealed record EraseDeletedAgents
{
    public const string Kind = "gateway.erase_deleted_agents";
}

internal sealed class EraseDeletedAgentsHandler(GatewayDb db, TimeProvider time) : IJobHandler<EraseDeletedAgents>
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    public async Task RunAsync(EraseDeletedAgents job, JobContext context, CancellationToken ct)
    {
        var before = time.GetUtcNow() - Kept;
        await db.Agents.Where(agent => agent.DeletedAt < before).ExecuteDeleteAsync(ct);
    }
}
