using Npgsql;
using Stoa.Feedback.Users;

namespace Stoa.Feedback.Administration;

/// <summary>Gives one user everything that others did, and ends the others.</summary>
internal sealed class MergeUsers(NpgsqlDataSource source)
{
    // $1: who stays, $2: who goes. Where both did the same thing once, what he who stays did is kept.
    private static readonly string[] Steps =
    [
        "select set_config('feedback.rewrite_journal', 'on', true)",
        "update feedback.message set user_id = $1 where user_id = any ($2)",
        "update feedback.message_revision set user_id = $1 where user_id = any ($2)",
        """
        delete from feedback.message_reaction gone using (
          select task_id, user_id, row_number() over (partition by task_id order by user_id <> $1, created_date, user_id) as place
          from feedback.message_reaction where user_id = $1 or user_id = any ($2)) as all_of_them
        where gone.task_id = all_of_them.task_id and gone.user_id = all_of_them.user_id and place > 1
        """,
        "update feedback.message_reaction set user_id = $1 where user_id = any ($2)",
        """
        with doubles as (
          delete from feedback.message_emoji gone using (
            select message_id, emoji, user_id,
              row_number() over (partition by message_id, emoji order by user_id <> $1, created_date, user_id) as place
            from feedback.message_emoji where user_id = $1 or user_id = any ($2)) as all_of_them
          where gone.message_id = all_of_them.message_id
          and gone.emoji = all_of_them.emoji and gone.user_id = all_of_them.user_id and place > 1
          returning gone.message_id, gone.emoji
        ), fewer as (
          select message_id, emoji, count(*) as count from doubles group by message_id, emoji
        )
        update feedback.message set emojis = (
          select coalesce(jsonb_object_agg(key, value), '{}') from (
            select key, value::int - coalesce(count, 0) as value
            from jsonb_each_text(emojis) left join fewer on fewer.message_id = message.id and fewer.emoji = key) as left_over
          where value > 0)
        where id in (select message_id from fewer)
        """,
        "update feedback.message_emoji set user_id = $1 where user_id = any ($2)",
        """
        delete from feedback.text_labels gone using (
          select id, row_number() over (partition by message_id order by user_id <> $1, created_date desc, id) as place
          from feedback.text_labels
            where (user_id = $1 or user_id = any ($2)) and task_id is null and message_id is not null) as all_of_them
        where gone.id = all_of_them.id and place > 1
        """,
        "update feedback.text_labels set user_id = $1 where user_id = any ($2)",
        "update feedback.task set user_id = $1 where user_id = any ($2)",
        // He is not to be handed his own work.
        "update feedback.offer set author_id = $1 where author_id = any ($2)",
        "update feedback.journal set user_id = $1 where user_id = any ($2)",
        "update feedback.account set user_id = $1 where user_id = any ($2)",
        "delete from feedback.user where id = any ($2)",
    ];

    /// <exception cref="Platform.Http.Failure">4002: he who is to stay is not there.</exception>
    public async Task RunAsync(Guid destination, IEnumerable<Guid> sources, CancellationToken ct)
    {
        var gone = sources.Where(user => user != destination).Distinct().ToArray();
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var locked = await connection.ListAsync(
            Statement.Of("select id from feedback.user where id = $1 or id = any ($2) order by id for update", destination, gone),
            row => row.GetGuid(0), ct);
        if (!locked.Contains(destination))
        {
            throw UserDirectory.NotFound();
        }
        foreach (var step in Steps)
        {
            await connection.ExecuteAsync(
                new(step) { Parameters =
                    { new NpgsqlParameter<Guid> { TypedValue = destination }, new NpgsqlParameter<Guid[]> { TypedValue = gone } } }, ct);
        }
        await transaction.CommitAsync(ct);
    }
}
