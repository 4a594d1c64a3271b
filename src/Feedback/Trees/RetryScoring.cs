using Npgsql;

namespace Stoa.Feedback.Trees;

/// <summary>
/// Looks again at trees whose ranks could not be computed: those with enough rankings are scored, the others go on being ranked.
/// </summary>
internal sealed class RetryScoring(NpgsqlDataSource source, FeedbackChanges changes, TreeKeeper keeper)
{
    /// <returns>How many there were, and how many of them are ready for export now.</returns>
    public async Task<(int Trees, int Scored)> RunAsync(CancellationToken ct)
    {
        var failed = await source.ListAsync(
            Statement.Of("""
                select t.message_tree_id, m.api_client_id from feedback.message_tree_state t
                join feedback.message m on m.id = t.message_tree_id
                where t.state = 'scoring_failed' order by t.message_tree_id
                """),
            row => (Id: row.GetGuid(0), Client: row.GetGuid(1)), ct);
        var scored = 0;
        foreach (var (id, client) in failed)
        {
            scored += await changes.RunAsync(change => RetryAsync(change, id, client, ct), ct) ? 1 : 0;
        }
        return (failed.Count, scored);
    }

    private async Task<bool> RetryAsync(FeedbackChange change, Guid id, Guid client, CancellationToken ct)
    {
        if (await TreeStore.LoadAsync(change, id, ct) is not { Tree.Row.State: TreeState.ScoringFailed } hand)
        {
            return false;
        }
        keeper.Move(change, hand.Tree, TreeState.Ranking, client);
        // With enough rankings, on to the ranks at once.
        await keeper.SettleAsync(change, hand, client, ct);
        return hand.Tree.Row.State == TreeState.ReadyForExport;
    }
}
