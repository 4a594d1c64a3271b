using Microsoft.Extensions.Options;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.Trees;

/// <summary>The lottery of one language: prompts that wait become trees that grow, as long as there is room.</summary>
internal sealed record DrawPrompts(string Lang)
{
    public const string Kind = "feedback.draw_prompts";

    /// <summary>One draw of a language at a time; whoever comes while it runs has it run again.</summary>
    public static NewJob Of(JobQueue queue, string lang) =>
        queue.Make(new DrawPrompts(lang), new() { UniqueKey = lang, UniqueMode = UniqueMode.Coalesce });
}

internal sealed class DrawPromptsHandler(FeedbackChanges changes, TreeKeeper keeper, IOptions<FeedbackOptions> options)
    : IJobHandler<DrawPrompts>
{
    private const int MostPromptsOfOne = 100;

    public async Task RunAsync(DrawPrompts job, JobContext context, CancellationToken ct)
    {
        while (await changes.RunAsync(change => DrawAsync(change, job.Lang, ct), ct))
        {
        }
    }

    /// <summary>One prompt; false when there is no room, or none waits.</summary>
    private async Task<bool> DrawAsync(FeedbackChange change, string lang, CancellationToken ct)
    {
        // Two draws at once would both see the same room.
        await using (var guard = await Statement.BatchAsync(
            change.Connection, ct, Statement.Of("select pg_advisory_xact_lock(hashtextextended('feedback.draw_prompts:' || $1, 0))", lang)))
        {
            await guard.ExecuteNonQueryAsync(ct);
        }
        if (await GrowingAsync(change, lang, ct) >= options.Value.TreeManager.MaxActiveTrees
            || Lottery.DrawAuthor(await AuthorsAsync(change, lang, ct), Random.Shared) is not { } author
            || await PromptOfAsync(change, lang, author, ct) is not { } drawn
            || await TreeStore.LoadAsync(change, drawn.Tree, ct) is not { Tree.Row.State: TreeState.PromptLotteryWaiting } hand)
        {
            return false;
        }
        hand.Tree.Row.WonPromptLotteryDate ??= change.Now;
        keeper.Move(change, hand.Tree, TreeState.Growing, drawn.Client);
        await keeper.SettleAsync(change, hand, drawn.Client, ct);
        return true;
    }

    private static async Task<long> GrowingAsync(FeedbackChange change, string lang, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(change.Connection, ct, Statement.Of(
            "select count(*) from feedback.message_tree_state where active and state = 'growing' and lang = $1", lang));
        return (long)(await batch.ExecuteScalarAsync(ct))!;
    }

    private static async Task<List<Entrant>> AuthorsAsync(FeedbackChange change, string lang, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(change.Connection, ct, Statement.Of(
            """
            select u.id, coalesce(s.reply_ranked_1, 0)
            from (
              select distinct m.user_id from feedback.message_tree_state t join feedback.message m on m.id = t.message_tree_id
              where t.state = 'prompt_lottery_waiting' and t.lang = $1 and m.review_result and not m.deleted
            ) waiting
            join feedback.user u on u.id = waiting.user_id and u.enabled and not u.deleted
            left join feedback.user_stats s on s.user_id = u.id and s.time_frame = 'month'
            order by u.id
            """, lang));
        await using var row = await batch.ExecuteReaderAsync(ct);
        List<Entrant> authors = [];
        while (await row.ReadAsync(ct))
        {
            authors.Add(new(row.GetGuid(0), row.GetInt32(1)));
        }
        return authors;
    }

    private static async Task<(Guid Tree, Guid Client)?> PromptOfAsync(
        FeedbackChange change, string lang, Guid author, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(change.Connection, ct, Statement.Of(
            """
            select id, api_client_id from (
              select m.id, m.api_client_id from feedback.message_tree_state t join feedback.message m on m.id = t.message_tree_id
              where t.state = 'prompt_lottery_waiting' and t.lang = $1 and m.user_id = $2 and m.review_result and not m.deleted limit $3
            ) waiting order by random() limit 1
            """, lang, author, MostPromptsOfOne));
        await using var row = await batch.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? (row.GetGuid(0), row.GetGuid(1)) : null;
    }
}

/// <summary>An author with prompts in the lottery.</summary>
/// <param name="Firsts">How often others placed a reply of his first this month.</param>
internal readonly record struct Entrant(Guid UserId, int Firsts);

/// <summary>Who wins. Pure but for the chance that is handed in.</summary>
internal static class Lottery
{
    /// <summary>Each with the weight of his first places and one.</summary>
    public static Guid? DrawAuthor(IReadOnlyList<Entrant> entrants, Random chance)
    {
        var lot = chance.NextInt64(Math.Max(1, entrants.Sum(entrant => entrant.Firsts + 1L)));
        foreach (var entrant in entrants)
        {
            lot -= entrant.Firsts + 1L;
            if (lot < 0)
            {
                return entrant.UserId;
            }
        }
        return null;
    }

    /// <summary>How many more prompts a language takes.</summary>
    public static int MissingPrompts(int growing, int inReview, int waiting, TreeManagerOptions options) => Math.Min(
        Math.Max(0, options.MaxActiveTrees - growing) + Math.Max(0, options.MaxInitialPromptReview - inReview),
        Math.Max(0, options.MaxPromptLotteryWaiting - waiting));
}
