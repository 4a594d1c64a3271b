using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Rankings;

internal sealed record RerankCounts(long Trees = 0, long Parents = 0, long Changed = 0);

/// <summary>Computes the ranks of all finished trees again, out of all rankings, some hundreds of trees in memory.</summary>
internal sealed class Rerank(NpgsqlDataSource source)
{
    private const int TreesAtOnce = 500;

    private const string Trees = """
        select message_tree_id from feedback.message_tree_state
        where state = 'ready_for_export' and message_tree_id > $1 order by message_tree_id limit $2
        """;

    private const string Ballots = """
        select ranking_parent_id, ranked_ids from feedback.message join feedback.message_reaction on ranking_parent_id = message.id
        where message.message_tree_id = any ($1) and kind = 'ranking'
          order by ranking_parent_id, message_reaction.created_date, message_reaction.task_id
        """;

    private const string Ranks = "select id, parent_id, rank from feedback.message where parent_id = any ($1)";

    private const string Write = """
        update feedback.message set rank = given.rank from unnest($1::uuid[], $2::int[]) as given (id, rank) where message.id = given.id
        """;

    /// <param name="commit">Otherwise the changes are only counted.</param>
    public async Task<RerankCounts> RunAsync(bool commit, IProgress<RerankCounts>? progress, CancellationToken ct)
    {
        var counts = new RerankCounts();
        var after = Guid.Empty;
        while (await source.ListAsync(Statement.Of(Trees, after, TreesAtOnce), row => row.GetGuid(0), ct) is [.., var last] trees)
        {
            after = last;
            var (parents, changed) = await RerankAsync([.. trees], commit, ct);
            counts = new(counts.Trees + trees.Count, counts.Parents + parents, counts.Changed + changed);
            progress?.Report(counts);
        }
        return counts;
    }

    private async Task<(int Parents, int Changed)> RerankAsync(Guid[] trees, bool commit, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var ballots = (await connection.ListAsync(
            Statement.Of(Ballots, trees), row => (Parent: row.GetGuid(0), Order: (IReadOnlyList<Guid>)row.GetFieldValue<Guid[]>(1)), ct))
            .GroupBy(ballot => ballot.Parent, ballot => ballot.Order);
        var places = new Dictionary<Guid, Dictionary<Guid, int>>();
        foreach (var parent in ballots)
        {
            if (RankedPairs.Consensus<Guid>([.. parent]) is { } order)
            {
                places[parent.Key] = order.Index().ToDictionary(one => one.Item, one => one.Index);
            }
        }
        var stored = await connection.ListAsync(
            Statement.Of(Ranks, places.Keys.ToArray()),
            row => (Id: row.GetGuid(0), Parent: row.GetGuid(1), Rank: row.Int32OrNull(2)), ct);
        var changed = stored
            .Select(message =>
                (message.Id, message.Rank, New: places[message.Parent].TryGetValue(message.Id, out var place) ? place : (int?)null))
            .Where(message => message.Rank != message.New).ToList();
        if (commit && changed.Count > 0)
        {
            await connection.ExecuteAsync(
                Statement.Of(Write, changed.Select(message => message.Id).ToArray(), changed.Select(message => message.New).ToArray()), ct);
            await transaction.CommitAsync(ct);
        }
        return (places.Count, changed.Count);
    }
}
