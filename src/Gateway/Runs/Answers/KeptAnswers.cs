using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;

namespace Stoa.Gateway.Runs.Answers;

/// <summary>Answers of runs that are over: whoever tries a run again asks here first.</summary>
internal sealed class KeptAnswers(IDbContextFactory<GatewayDb> dbs)
{
    private const int MostHops = 10;

    /// <summary><c>{data, usage}</c> of the run with this message id, if it was a success.</summary>
    public async Task<JsonObject?> FindAsync(Guid organizationId, string messageId, CancellationToken ct)
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        for (var hop = 0; hop < MostHops; hop++)
        {
            var row = await db.Runs.AsNoTracking()
                .Where(row => row.OrganizationId == organizationId && row.MessageId == messageId && row.IsSuccess)
                .OrderByDescending(row => row.CreatedAt).FirstOrDefaultAsync(ct);
            if (row is null or { ChildId: null })
            {
                return row is null ? null : StandardAnswer.Of(row);
            }
            // Another agent took over; its answer counts.
            messageId = row.ChildId;
        }
        return null;
    }
}
