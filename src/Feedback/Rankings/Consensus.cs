using Stoa.Feedback.Trees;

namespace Stoa.Feedback.Rankings;

/// <summary>Ranks of siblings out of all rankings of their parent's children.</summary>
internal static class Consensus
{
    public static async Task WriteAsync(FeedbackChange change, Tree tree, TreeManagerOptions options, CancellationToken ct)
    {
        var ballots = await BallotsAsync(change, tree.Id, ct);
        foreach (var (parent, _) in tree.Rankable(options))
        {
            if (RankedPairs.Consensus<Guid>([.. ballots[parent.Id]]) is { } order)
            {
                change.Write(
                    "update feedback.message set rank = array_position($2::uuid[], id) - 1 where parent_id = $1",
                    parent.Id, order.ToArray());
            }
        }
    }

    private static async Task<ILookup<Guid, IReadOnlyList<Guid>>> BallotsAsync(FeedbackChange change, Guid treeId, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(change.Connection, ct, Statement.Of(
            """
            select r.ranking_parent_id, r.ranked_ids from feedback.message m join feedback.message_reaction r on r.ranking_parent_id = m.id
            where m.message_tree_id = $1 and r.kind = 'ranking' order by r.created_date, r.task_id
            """, treeId));
        await using var row = await batch.ExecuteReaderAsync(ct);
        List<(Guid Parent, IReadOnlyList<Guid> Order)> ballots = [];
        while (await row.ReadAsync(ct))
        {
            ballots.Add((row.GetGuid(0), row.GetFieldValue<Guid[]>(1)));
        }
        return ballots.ToLookup(ballot => ballot.Parent, ballot => ballot.Order);
    }
}
