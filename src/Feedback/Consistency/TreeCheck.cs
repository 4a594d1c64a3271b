using System.Runtime.CompilerServices;
using Npgsql;

namespace Stoa.Feedback.Consistency;

/// <summary>A rule that the store keeps, and the rows that break it.</summary>
/// <param name="Count">Zero: it holds.</param>
/// <param name="Examples">Ids of some of them.</param>
internal sealed record CheckedRule(string Rule, long Count, IReadOnlyList<Guid> Examples)
{
    public bool Holds => Count == 0;
}

/// <summary>Looks whether trees, counts, ranks, tasks and journal agree. Reads only, in one snapshot.</summary>
internal sealed class TreeCheck(NpgsqlDataSource source)
{
    private const int MostExamples = 5;

    // Each selects the ids that break the rule.
    private static readonly (string Rule, string Sql)[] Rules =
    [
        ("a parent is in the tree of its reply", """
            select child.id from feedback.message child join feedback.message parent on parent.id = child.parent_id
            where parent.message_tree_id <> child.message_tree_id
            """),
        // With the one before there is no circle, and one root for each tree.
        ("a reply is one deeper than its parent", """
            select child.id from feedback.message child
              join feedback.message parent on parent.id = child.parent_id where child.depth <> parent.depth + 1
            """),
        ("a tree has its root", """
            select message_tree_id from feedback.message
            where parent_id is not null
              and not exists (select from feedback.message root where root.id = message.message_tree_id and root.parent_id is null)
            """),
        ("a root has a state", """
            select id from feedback.message
            where parent_id is null and not exists (select from feedback.message_tree_state state where state.message_tree_id = message.id)
            """),
        ("children are counted", """
            select parent.id from feedback.message parent
            left join (select parent_id, count(*) as count from feedback.message
              where not deleted group by parent_id) child on child.parent_id = parent.id
            where parent.children_count <> coalesce(child.count, 0)
            """),
        ("what is below a deleted message is deleted", """
            select child.id from feedback.message child
              join feedback.message parent on parent.id = child.parent_id where parent.deleted and not child.deleted
            """),
        ("a tree is active exactly in the states in which work is done", """
            select message_tree_id from feedback.message_tree_state
            where active <> (state in ('initial_prompt_review', 'growing', 'ranking', 'ready_for_scoring'))
            """),
        ("a tree that waits, grows or is ranked began with an accepted prompt", """
            select tree.message_tree_id from feedback.message_tree_state tree join feedback.message root on root.id = tree.message_tree_id
            where state in ('prompt_lottery_waiting', 'growing', 'ranking', 'ready_for_export') and root.review_result is distinct from true
            """),
        ("a tree that has gone on to be ranked has reached its size", """
            select tree.message_tree_id from feedback.message_tree_state tree
            where state = 'ranking' and goal_tree_size > (
              select count(*) from feedback.message where message.message_tree_id = tree.message_tree_id and review_result
            )
            """),
        ("the ranks of siblings are 0, 1, 2 and so on", """
            select parent_id from feedback.message where parent_id is not null and rank is not null
            group by parent_id having min(rank) <> 0 or max(rank) <> count(*) - 1 or count(distinct rank) <> count(*)
            """),
        ("a text that was asked for is there when its task is done", """
            select task.id from feedback.task
            where done and not collective and type in ('initial_prompt', 'prompter_reply', 'assistant_reply')
              and not exists (select from feedback.message where message.task_id = task.id)
            """),
        ("a task is done when its text is there", """
            select task.id from feedback.message join feedback.task on task.id = message.task_id where not done and not collective
            """),
        ("a task is done when its labels are there", """
            select task.id from feedback.text_labels join feedback.task on task.id = text_labels.task_id where not done and not collective
            """),
        ("reviews are counted", """
            select message.id from feedback.message
            join (select message_id, count(*) as count from feedback.text_labels where task_id is not null group by message_id) label
              on label.message_id = message.id
            where review_count < label.count
            """),
        ("rankings are counted", """
            select message.id from feedback.message
            left join (
              select ranked.id, count(*) as count from feedback.message_reaction, unnest(ranked_ids) as ranked (id)
                where kind = 'ranking' group by ranked.id
            ) as given on given.id = message.id
            where ranking_count <> coalesce(given.count, 0)
            """),
        // Imported texts have the counts of their files.
        ("emojis are counted", """
            select message.id from feedback.message
            left join (select message_id, jsonb_object_agg(emoji, count) as counts from (
              select message_id, emoji, count(*)
                from feedback.message_emoji group by message_id, emoji) as single group by message_id) as given
              on given.message_id = message.id
            where coalesce(given.counts, '{}') <> coalesce(emojis, '{}')
              and not exists (select from feedback.api_client where id = message.api_client_id and frontend_type = 'import')
            """),
        ("the journal has each text that was given in answer to a task", """
            select message.id from feedback.message
            where task_id is not null and exists (select from feedback.task where task.id = message.task_id)
              and not exists (select from feedback.journal where journal.message_tree_id = message.message_tree_id
                and journal.message_id = message.id and event_type = 'text_reply_to_message')
            """),
        ("the journal has each ranking", """
            select task_id from feedback.message_reaction
            where kind = 'ranking' and not exists (
              select from feedback.journal
                where event_type = 'message_ranking' and event_payload ->> 'task_id' = message_reaction.task_id::text
                and journal.user_id = message_reaction.user_id)
            """),
        ("the state of a tree is the one that the journal says last", StateRebuild.Differing),
    ];

    public async IAsyncEnumerable<CheckedRule> RunAsync([EnumeratorCancellation] CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        // While others write, one moment is looked at.
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        foreach (var (rule, sql) in Rules)
        {
            await using var command = new NpgsqlCommand(
                $"with broken (id) as ({sql}) select (select count(*) from broken), array(select id from broken limit {MostExamples})",
                connection)
            {
                CommandTimeout = 0,
            };
            await using var row = await command.ExecuteReaderAsync(ct);
            await row.ReadAsync(ct);
            yield return new(rule, row.GetInt64(0), row.GetFieldValue<Guid[]>(1));
        }
    }
}

/// <summary>Puts trees back into the state that the journal says last.</summary>
internal sealed class StateRebuild(NpgsqlDataSource source)
{
    private const string Last = """
        select distinct on (message_tree_id) message_tree_id, event_payload ->> 'to' as state
        from feedback.journal where event_type = 'tree_state' and message_tree_id is not null
        order by message_tree_id, id desc
        """;

    public const string Differing = $"""
        select tree.message_tree_id from feedback.message_tree_state tree
          join ({Last}) as last using (message_tree_id) where tree.state <> last.state
        """;

    private const string Rebuild = $"""
        update feedback.message_tree_state tree
        set state = last.state, active = last.state in ('initial_prompt_review', 'growing', 'ranking', 'ready_for_scoring')
        from ({Last}) as last
        where last.message_tree_id = tree.message_tree_id and tree.state <> last.state
        returning tree.message_tree_id
        """;

    /// <summary>The trees that stand elsewhere than the journal says.</summary>
    /// <param name="commit">Otherwise they are only named.</param>
    public Task<List<Guid>> RunAsync(bool commit, CancellationToken ct) =>
        source.ListAsync(Statement.Of(commit ? Rebuild : Differing), row => row.GetGuid(0), ct);
}
