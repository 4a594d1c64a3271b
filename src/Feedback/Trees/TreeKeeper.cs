using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Feedback.Rankings;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.Trees;

/// <summary>Moves a tree as far as it goes, in the transaction that gave it the push, and lets follow what follows from it.</summary>
internal sealed partial class TreeKeeper(IOptions<FeedbackOptions> options, JobQueue queue, ILogger<TreeKeeper> logger)
{
    private TreeManagerOptions Rules => options.Value.TreeManager;

    /// <summary>Takes every step that is due, computes ranks where they are, and writes what the tree offers then.</summary>
    /// <param name="released">What somebody no longer holds.</param>
    public async Task SettleAsync(FeedbackChange change, TreeInHand hand, Guid clientId, CancellationToken ct, Hold? released = null)
    {
        while (TreeRules.Next(hand.Tree, Rules) is var next && next != hand.Tree.Row.State)
        {
            Move(change, hand.Tree, next, clientId);
            if (next == TreeState.ReadyForScoring)
            {
                // Wherever that ends: what has failed would be tried for ever.
                Move(change, hand.Tree, await ScoreAsync(change, hand.Tree, ct), clientId);
                break;
            }
        }
        change.WriteOffers(hand, Rules, released);
    }

    /// <summary>To this state, whatever the rules say of it; what the tree offers is written by <see cref="SettleAsync"/>.</summary>
    public void Move(FeedbackChange change, Tree tree, TreeState next, Guid clientId)
    {
        var (from, wasActive) = (tree.Row.State, tree.Row.Active);
        if (from == next && wasActive == !TreeRules.IsTerminal(next))
        {
            return;
        }
        tree.Row.State = next;
        tree.Row.Active = !TreeRules.IsTerminal(next);
        change.WriteState(tree, from, clientId);
        if (next == TreeState.PromptLotteryWaiting || from == TreeState.Growing)
        {
            change.Enqueue(DrawPrompts.Of(queue, tree.Row.Lang));
        }
        if (wasActive && !tree.Row.Active && Random.Shared.NextDouble() < Rules.PActivateBacklogTree)
        {
            change.Enqueue(queue.Make(new ActivateBacklog(tree.Root?.Lang ?? tree.Row.Lang)));
        }
        else if (wasActive && !tree.Row.Active && Rules.MinActiveRankingsPerLang > 0)
        {
            change.Enqueue(queue.Make(new ActivateBacklog(tree.Root?.Lang ?? tree.Row.Lang, OnlyIfFew: true)));
        }
    }

    private async Task<TreeState> ScoreAsync(FeedbackChange change, Tree tree, CancellationToken ct)
    {
        try
        {
            // The ranking that completes the tree counts too.
            await change.FlushAsync(ct);
            await Consensus.WriteAsync(change, tree, Rules, ct);
            return TreeState.ReadyForExport;
        }
        catch (Exception wrong) when (wrong is ArgumentException or InvalidOperationException)
        {
            LogFailed(wrong, tree.Id);
            return TreeState.ScoringFailed;
        }
    }

    [LoggerMessage(LogLevel.Error, "The ranks of tree {Tree} cannot be computed")]
    private partial void LogFailed(Exception wrong, Guid tree);
}
