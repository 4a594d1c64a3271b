using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.Trees;

/// <summary>Lets the tree manager look at trees that came in or changed in bulk: what they offer, and whether they go on.</summary>
internal sealed class TreeActivation(TreeKeeper keeper, JobQueue queue, TimeProvider time)
{
    /// <summary>In the transaction that is open on the connection.</summary>
    /// <param name="resume">Sets them going again, as when a halt is taken back.</param>
    public async Task SettleAsync(NpgsqlConnection connection, IEnumerable<Guid> trees, Guid clientId, bool resume, CancellationToken ct)
    {
        var change = new FeedbackChange(connection, time);
        foreach (var id in trees)
        {
            if (await TreeStore.LoadAsync(change, id, ct) is not { } hand)
            {
                continue;
            }
            if (resume)
            {
                keeper.Move(change, hand.Tree, TreeRules.Resumed(hand.Tree.Row), clientId);
            }
            await keeper.SettleAsync(change, hand, clientId, ct);
            // A tree that was just scored reads its rankings, so each is written before the next is read.
            await change.SaveAsync(queue, ct);
        }
    }
}
