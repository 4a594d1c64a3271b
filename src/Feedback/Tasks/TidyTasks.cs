using Npgsql;
using Stoa.Feedback.Trees;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback.Tasks;

/// <summary>
/// Tasks that nobody answered in time go, prompts of people who are gone leave the lottery, and every tree is looked at once more.
/// </summary>
internal sealed record TidyTasks
{
    public const string Kind = "feedback.tidy_tasks";

    public static readonly TimeSpan Every = TimeSpan.FromHours(1);
}

internal sealed class TidyTasksHandler(
    NpgsqlDataSource source, FeedbackChanges changes, TreeKeeper keeper, JobQueue queue, TimeProvider time)
    : IJobHandler<TidyTasks>
{
    private const int AtOnce = 1_000;

    private static readonly TimeSpan ClocksDiffer = TimeSpan.FromHours(1);

    public async Task RunAsync(TidyTasks job, JobContext context, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        while (await DeleteExpiredAsync(now, ct) == AtOnce)
        {
        }
        // What expired before is done or has an answer, unless another host's clock is slow.
        await source.ExecuteAsync(Statement.Of("update feedback.tidied set until = greatest(until, $1)", now - ClocksDiffer), ct);
        await foreach (var tree in TreesAsync(
            """
            select t.message_tree_id, m.api_client_id from feedback.message_tree_state t join feedback.message m on m.id = t.message_tree_id
            join feedback.user u on u.id = m.user_id
            where t.state = 'prompt_lottery_waiting' and (u.deleted or not u.enabled) and t.message_tree_id > $1
              order by t.message_tree_id limit $2
            """, ct))
        {
            await SettleAsync(tree, TreeState.HaltedByModerator, ct);
        }
        // What is offered follows from the settings too, and these may have changed.
        await foreach (var tree in TreesAsync(
            """
            select t.message_tree_id, m.api_client_id from feedback.message_tree_state t join feedback.message m on m.id = t.message_tree_id
            where t.active and t.message_tree_id > $1 order by t.message_tree_id limit $2
            """, ct))
        {
            await SettleAsync(tree, to: null, ct);
        }
        foreach (var lang in await LanguagesAsync(ct))
        {
            await queue.EnqueueAsync([DrawPrompts.Of(queue, lang)], ct);
        }
    }

    private Task SettleAsync((Guid Id, Guid Client) tree, TreeState? to, CancellationToken ct) => changes.RunAsync(
        async change =>
        {
            if (await TreeStore.LoadAsync(change, tree.Id, ct) is { } hand)
            {
                if (to is { } state && hand.Tree.Row.State == TreeState.PromptLotteryWaiting)
                {
                    keeper.Move(change, hand.Tree, state, tree.Client);
                }
                await keeper.SettleAsync(change, hand, tree.Client, ct);
            }
        },
        ct);

    // A task with an answer of its own stays, whatever its date: a collective one is never done.
    private Task<int> DeleteExpiredAsync(DateTimeOffset now, CancellationToken ct) => source.ExecuteAsync(
        Statement.Of(
            """
            delete from feedback.task where id in (
              select t.id from feedback.task t
                where t.expiry_date >= (select until from feedback.tidied) and t.expiry_date < $1 and not t.done
                and not exists (select from feedback.message m where m.task_id = t.id)
                and not exists (select from feedback.message_reaction r where r.task_id = t.id)
              limit $2 for update skip locked)
            """, now, AtOnce),
        ct);

    private async IAsyncEnumerable<(Guid Id, Guid Client)> TreesAsync(
        string sql, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        for (var last = Guid.Empty; ;)
        {
            List<(Guid Id, Guid Client)> some = [];
            await using (var command = source.CreateCommand(sql))
            {
                command.Parameters.Add(new() { Value = last });
                command.Parameters.Add(new() { Value = AtOnce });
                await using var row = await command.ExecuteReaderAsync(ct);
                while (await row.ReadAsync(ct))
                {
                    some.Add((row.GetGuid(0), row.GetGuid(1)));
                }
            }
            foreach (var tree in some)
            {
                yield return tree;
            }
            if (some.Count < AtOnce)
            {
                yield break;
            }
            last = some[^1].Id;
        }
    }

    private async Task<List<string>> LanguagesAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            "select distinct lang from feedback.message_tree_state where state = 'prompt_lottery_waiting'");
        await using var row = await command.ExecuteReaderAsync(ct);
        List<string> languages = [];
        while (await row.ReadAsync(ct))
        {
            languages.Add(row.GetString(0));
        }
        return languages;
    }
}
