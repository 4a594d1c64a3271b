using Microsoft.Extensions.Options;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.Trees;

/// <summary>A tree of the backlog is put up for ranking; those with nothing to rank are given up on the way.</summary>
/// <param name="OnlyIfFew">Only while fewer rankings are open than <see cref="TreeManagerOptions.MinActiveRankingsPerLang"/>.</param>
internal sealed record ActivateBacklog(string Lang, bool OnlyIfFew = false)
{
    public const string Kind = "feedback.activate_backlog";
}

internal sealed class ActivateBacklogHandler(FeedbackChanges changes, TreeKeeper keeper, IOptions<FeedbackOptions> options)
    : IJobHandler<ActivateBacklog>
{
    public async Task RunAsync(ActivateBacklog job, JobContext context, CancellationToken ct)
    {
        if (!job.OnlyIfFew)
        {
            await ActivateAsync(job.Lang, ct);
        }
        if (await changes.RunAsync(
            change => OpenRankingsAsync(change, job.Lang, ct), ct) < options.Value.TreeManager.MinActiveRankingsPerLang)
        {
            await ActivateAsync(job.Lang, ct);
        }
    }

    private async Task ActivateAsync(string lang, CancellationToken ct)
    {
        while (await changes.RunAsync(change => NextAsync(change, lang, ct), ct) == TreeState.AbortedLowGrade)
        {
        }
    }

    /// <summary>What became of the next tree; null when there is none.</summary>
    private async Task<TreeState?> NextAsync(FeedbackChange change, string lang, CancellationToken ct)
    {
        if (await AnyAsync(change, lang, ct) is not { } tree || await TreeStore.LoadAsync(change, tree.Id, ct) is not { } hand)
        {
            return null;
        }
        var next = TreeRules.FromBacklog(hand.Tree);
        keeper.Move(change, hand.Tree, next, tree.Client);
        await keeper.SettleAsync(change, hand, tree.Client, ct);
        return next;
    }

    private static async Task<(Guid Id, Guid Client)?> AnyAsync(FeedbackChange change, string lang, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(change.Connection, ct, Statement.Of(
            """
            select t.message_tree_id, m.api_client_id
            from feedback.message_tree_state t join feedback.message m on m.id = t.message_tree_id
            where t.state = 'backlog_ranking' and t.lang = $1 limit 1 for update of t skip locked
            """, lang));
        await using var row = await batch.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? (row.GetGuid(0), row.GetGuid(1)) : null;
    }

    private static async Task<long> OpenRankingsAsync(FeedbackChange change, string lang, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(change.Connection, ct, Statement.Of(
            "select count(*) from feedback.offer where lang = $1 and work = 'ranking'", lang));
        return (long)(await batch.ExecuteScalarAsync(ct))!;
    }
}
