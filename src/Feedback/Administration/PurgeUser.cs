using Npgsql;
using NpgsqlTypes;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Statistics;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Administration;

/// <summary>Which of a user's messages go.</summary>
/// <param name="WithPrompts">His prompts as well, each with its whole tree.</param>
/// <param name="From">Written then or later.</param>
/// <param name="To">Written then or earlier.</param>
internal sealed record PurgedMessages(bool WithPrompts, DateTimeOffset? From = null, DateTimeOffset? To = null);

/// <summary>
/// Takes a user's work out for good: a prompt with its tree, a reply with everything below it. What others did with these goes as well, and
/// the counts of what stays are made right. A preview does all of it and takes it back.
/// </summary>
internal sealed class PurgeUser(NpgsqlDataSource source, TreeActivation activation, TimeProvider time)
{
    // Tables of this transaction: what goes, and the parents that lose a child.
    private const string Table =
        "create temporary table gone (id uuid primary key, parent_id uuid, message_tree_id uuid, with_tree boolean) on commit drop";

    // Whoever answers in one of these trees locks it first, so no reply comes in below what goes.
    private const string Lock = """
        select from feedback.message_tree_state where message_tree_id in (select message_tree_id from feedback.message where user_id = $1)
        order by message_tree_id for update
        """;

    private const string Choose = """
        with recursive roots as (
          select id from feedback.message
          where user_id = $1
            and parent_id is null and $2 and created_date >= coalesce($3, '-infinity') and created_date <= coalesce($4, 'infinity')
        ), below as (
          select id, parent_id, message_tree_id from feedback.message
          where user_id = $1 and parent_id is not null and message_tree_id not in (select id from roots)
            and created_date >= coalesce($3, '-infinity') and created_date <= coalesce($4, 'infinity')
          union
          select message.id, message.parent_id, message.message_tree_id from below join feedback.message on message.parent_id = below.id
        )
        insert into gone
        select id, parent_id, message_tree_id, false from below
        union all
        select id, parent_id, message_tree_id, true from feedback.message where message_tree_id in (select id from roots)
        """;

    // The rankings of a parent that loses a child speak of what is no longer there.
    private static readonly string[] Remove =
    [
        """
        create temporary table bereft on commit drop as
        select distinct parent_id as id, message_tree_id from gone where not with_tree and parent_id not in (select id from gone)
        """,
        "select set_config('feedback.rewrite_journal', 'on', true)",
        """
        delete from feedback.journal where message_tree_id in (select message_tree_id from gone)
          and (message_id in (select id from gone) or message_tree_id in (select message_tree_id from gone where with_tree))
        """,
        "delete from feedback.text_labels where message_id in (select id from gone)",
        "delete from feedback.message_reaction where ranking_parent_id in (select id from gone union all select id from bereft)",
        """
        create temporary table gone_task on commit drop as
        select id from feedback.task where parent_message_id in (select id from gone)
        union select task_id from feedback.message where id in (select id from gone) and task_id is not null
        """,
        "delete from feedback.message_reaction where task_id in (select id from gone_task)",
        "delete from feedback.task where id in (select id from gone_task)",
        "delete from feedback.message_tree_state where message_tree_id in (select message_tree_id from gone where with_tree)",
        "delete from feedback.message where id in (select id from gone)",
        """
        update feedback.message set ranking_count = 0, rank = null
        where parent_id in (select id from bereft) and (ranking_count <> 0 or rank is not null)
        """,
        """
        update feedback.message parent
        set children_count = (select count(*) from feedback.message child where child.parent_id = parent.id and not child.deleted)
        where id in (select id from bereft)
        """,
    ];

    // What else is known of him; the counts that it was part of follow.
    private static readonly string[] RemoveRest =
    [
        "delete from feedback.journal where user_id = $1",
        """
        with taken as (delete from feedback.message_reaction where user_id = $1 returning ranking_parent_id)
        update feedback.message set ranking_count = (
          select count(*) from feedback.message_reaction
          where ranking_parent_id = message.parent_id and message.id = any (ranked_ids) and user_id <> $1)
        where parent_id in (select ranking_parent_id from taken)
        """,
        """
        with taken as (delete from feedback.message_emoji where user_id = $1 returning message_id)
        update feedback.message set emojis = (
          select coalesce(jsonb_object_agg(emoji, count), '{}') from (
            select emoji, count(*) from feedback.message_emoji where message_id = message.id and user_id <> $1 group by emoji) as left_over)
        where id in (select message_id from taken)
        """,
        "delete from feedback.message_reaction where task_id in (select id from feedback.task where user_id = $1)",
        "delete from feedback.task where user_id = $1",
        "delete from feedback.user_stats where user_id = $1",
        "delete from feedback.troll_stats where user_id = $1",
    ];

    /// <exception cref="Platform.Http.Failure">4002.</exception>
    public Task<PurgeResultModel> UserAsync(ApiClient client, Guid userId, bool ban, bool preview, CancellationToken ct) => RunAsync(
        client, userId, new(WithPrompts: true), preview,
        async connection =>
        {
            foreach (var sql in RemoveRest)
            {
                await connection.ExecuteAsync(Statement.Of(sql, userId), ct);
            }
            if (ban)
            {
                await connection.ExecuteAsync(
                    Statement.Of("update feedback.user set deleted = true, enabled = false where id = $1", userId), ct);
            }
        },
        ct);

    /// <inheritdoc cref="UserAsync"/>
    public Task<PurgeResultModel> MessagesAsync(
        ApiClient client, Guid userId, PurgedMessages messages, bool preview, CancellationToken ct) =>
        RunAsync(client, userId, messages, preview, _ => Task.CompletedTask, ct);

    private async Task<PurgeResultModel> RunAsync(
        ApiClient client, Guid userId, PurgedMessages messages, bool preview, Func<NpgsqlConnection, Task> more, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await connection.ListAsync(
            Statement.Of("select id from feedback.user where id = $1 for update", userId), row => row.GetGuid(0), ct) is [])
        {
            throw UserDirectory.NotFound();
        }
        var before = await SystemFigures.CountAsync(connection, ct);
        await RemoveMessagesAsync(connection, userId, messages, ct);
        await more(connection);
        var torn = await connection.ListAsync(new("select distinct message_tree_id from bereft order by 1"), row => row.GetGuid(0), ct);
        await activation.SettleAsync(connection, torn, client.Id, resume: true, ct);
        var after = await SystemFigures.CountAsync(connection, ct);
        if (preview)
        {
            await transaction.RollbackAsync(ct);
        }
        else
        {
            await transaction.CommitAsync(ct);
        }
        return new(before, after, preview, time.GetElapsedTime(started).TotalSeconds);
    }

    // Not prepared: the tables are of this transaction alone.
    private static async Task RemoveMessagesAsync(NpgsqlConnection connection, Guid userId, PurgedMessages messages, CancellationToken ct)
    {
        await connection.ExecuteAsync(Statement.Of(Lock, userId), ct);
        foreach (var sql in (string[])[Table, Choose, .. Remove])
        {
            await using var step = new NpgsqlCommand(sql, connection);
            if (sql == Choose)
            {
                step.Parameters.Add(new() { Value = userId });
                step.Parameters.Add(new() { Value = messages.WithPrompts });
                step.Parameters.Add(new() { Value = (object?)messages.From ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
                step.Parameters.Add(new() { Value = (object?)messages.To ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz });
            }
            await step.ExecuteNonQueryAsync(ct);
        }
    }
}
