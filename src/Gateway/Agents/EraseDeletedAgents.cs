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
    /// <summary>At a time: each statement tells all nodes whose agents they were, and such news has at most 8,000 bytes.</summary>
    private const int Most = 100;

    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    public async Task RunAsync(EraseDeletedAgents job, JobContext context, CancellationToken ct)
    {
        var before = time.GetUtcNow() - Kept;
        while (await db.Agents.Where(agent => agent.DeletedAt < before)
            .OrderBy(agent => agent.DeletedAt).Take(Most).ExecuteDeleteAsync(ct) == Most)
        {
        }
    }
}
