using Npgsql;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Journal;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Tasks;

/// <summary>
/// Tasks that a client has shown, each as a message with an id of its own. Those that come together share a round trip and a commit, group
/// after group: connections that work beside each other cost PostgreSQL more.
/// </summary>
internal sealed class Acknowledgements
{
    // A group waits for no task, so that nobody's long transaction holds up the others. Nor does an id that is known already end it.
    private static readonly string ShowFreely = ShowWhere("skip locked"), Show = ShowWhere("");

    private readonly NpgsqlDataSource source;
    private readonly TimeProvider time;
    private readonly Coalescer<Acknowledgement, bool> groups;

    public Acknowledgements(NpgsqlDataSource source, TimeProvider time)
    {
        (this.source, this.time) = (source, time);
        groups = new(group => ShowAsync(group, ShowFreely, CancellationToken.None), atOnce: 1);
    }

    /// <summary>The client has shown the task, as a message with this id of its own. Once more with the same id changes nothing.</summary>
    /// <exception cref="Failure">2000, 2100 (404), 2101, 2103.</exception>
    public async Task AddAsync(ApiClient client, Guid taskId, string frontendMessageId, CancellationToken ct)
    {
        if (frontendMessageId.Length == 0)
        {
            throw FeedbackCode.InvalidFrontendMessageId.Refusal("The message id is empty");
        }
        var one = new Acknowledgement(taskId, client.Id, frontendMessageId, JournalId.Next(time.GetUtcNow()));
        try
        {
            // What the group left out may have been at work in another transaction, or is refused.
            if (await groups.RunAsync(one, ct) || (await ShowAsync([one], Show, ct))[0])
            {
                return;
            }
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw IdIsTaken();
        }
        await using var connection = await source.OpenConnectionAsync(ct);
        var task = await TaskRows.FindAsync(connection, client.Id, taskId, ct)
            ?? throw FeedbackCode.TaskNotFound.Refusal("Task not found", FailureKind.NotFound);
        if (task.IsExpired(time.GetUtcNow()))
        {
            throw FeedbackCode.TaskExpired.Refusal("The task has expired");
        }
        if (task is { FrontendMessageId: null, Done: false })
        {
            throw IdIsTaken();
        }
        if (task.FrontendMessageId != frontendMessageId)
        {
            throw FeedbackCode.TaskAlreadyUpdated.Refusal("The task was acknowledged with another id, or is done");
        }
    }

    private static Failure IdIsTaken() => FeedbackCode.TaskAlreadyUpdated.Refusal("Another task was acknowledged with this id");

    /// <summary>Whether each was written; the second of two that are the same was not.</summary>
    private async Task<IReadOnlyList<bool>> ShowAsync(IReadOnlyList<Acknowledgement> group, string show, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        var shown = await connection.ListAsync(
            Statement.Of(
                show, Each(one => one.TaskId), Each(one => one.ClientId),
                Each(one => one.FrontendMessageId), Each(one => one.EventId), time.GetUtcNow()),
            row => row.GetGuid(0),
            ct);
        return [.. group.Select(one => shown.Contains(one.EventId))];

        T[] Each<T>(Func<Acknowledgement, T> value) => [.. group.Select(value)];
    }

    // A task that was answered at once is told apart from one that is not there only where this changes nothing. The arrays come by
    // selects: while it is planned nobody knows how long they are, so the plan of the first time is as good as any and is kept.
    private static string ShowWhere(string locked) => $"""
        with asked as (
          select *
            from unnest((select $1::uuid[]), (select $2::uuid[]), (select $3::text[]), (select $4::uuid[]))
              as asked (task, client, message, event)
        ), free as materialized (
          select task.id, asked.* from asked join feedback.task on task.id = asked.task and task.api_client_id = asked.client
          where not done and frontend_message_id is null and (expiry_date is null or expiry_date > $5)
            and not exists (
              select from feedback.task_shown s where s.api_client_id = asked.client and s.frontend_message_id = asked.message)
          for no key update of task {locked}
        ), shown as (
          update feedback.task set ack = true, frontend_message_id = free.message from free where task.id = free.id
          returning user_id, message_tree_id, parent_message_id, free.*
        ), named as (
          insert into feedback.task_shown (api_client_id, frontend_message_id, task_id) select client, message, task from shown
        ), noted as (
          insert into feedback.journal (id, created_date, user_id, message_id, message_tree_id, api_client_id, event_type, event_payload)
          select event, $5, user_id, parent_message_id, message_tree_id, client, 'task_ack',
            jsonb_build_object('type', 'task_ack', 'user_id', user_id, 'task_id', task, 'frontend_message_id', message)
          from shown
        )
        select event from shown
        """;

    private sealed record Acknowledgement(Guid TaskId, Guid ClientId, string FrontendMessageId, Guid EventId);
}
