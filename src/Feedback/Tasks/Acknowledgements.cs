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
    // A task that was answered at once is told apart from one that is not there only where this changes nothing. The values are asked for by
    // selects, so that they have no number when the statement is planned and it is planned once.
    private const string Show = """
        with asked as (
          select * from unnest((select $1::uuid[]), (select $2::uuid[]), (select $3::text[]), (select $4::uuid[])) as asked (task, client, message, event)
        ), shown as (
          update feedback.task set ack = true, frontend_message_id = asked.message
          from asked
          where id = asked.task and api_client_id = asked.client and not done and frontend_message_id is null and (expiry_date is null or expiry_date > $5)
          returning user_id, message_tree_id, parent_message_id, asked.*
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

    private readonly NpgsqlDataSource source;
    private readonly TimeProvider time;
    private readonly Coalescer<Acknowledgement, bool> groups;

    public Acknowledgements(NpgsqlDataSource source, TimeProvider time)
    {
        (this.source, this.time) = (source, time);
        groups = new(ShowAsync, atOnce: 1);
    }

    /// <summary>The client has shown the task, as a message with this id of its own. Once more with the same id changes nothing.</summary>
    /// <exception cref="Failure">2000, 2100 (404), 2101, 2103.</exception>
    public async Task AddAsync(ApiClient client, Guid taskId, string frontendMessageId, CancellationToken ct)
    {
        if (frontendMessageId.Length == 0)
        {
            throw FeedbackCode.InvalidFrontendMessageId.Refusal("The message id is empty");
        }
        try
        {
            if (await groups.RunAsync(new(taskId, client.Id, frontendMessageId, JournalId.Next(time.GetUtcNow()))))
            {
                return;
            }
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw FeedbackCode.TaskAlreadyUpdated.Refusal("Another task was acknowledged with this id");
        }
        await using var connection = await source.OpenConnectionAsync(ct);
        var task = await TaskRows.FindAsync(connection, client.Id, taskId, ct)
            ?? throw FeedbackCode.TaskNotFound.Refusal("Task not found", FailureKind.NotFound);
        if (task.IsExpired(time.GetUtcNow()))
        {
            throw FeedbackCode.TaskExpired.Refusal("The task has expired");
        }
        if (task.FrontendMessageId != frontendMessageId)
        {
            throw FeedbackCode.TaskAlreadyUpdated.Refusal("The task was acknowledged with another id, or is done");
        }
    }

    /// <summary>Whether each is what its task is shown as from now on.</summary>
    private async Task<IReadOnlyList<bool>> ShowAsync(IReadOnlyList<Acknowledgement> group)
    {
        await using var connection = await source.OpenConnectionAsync();
        var shown = await connection.ListAsync(
            Statement.Of(
                Show, Each(one => one.TaskId), Each(one => one.ClientId), Each(one => one.FrontendMessageId), Each(one => one.EventId), time.GetUtcNow()),
            row => row.GetGuid(0),
            CancellationToken.None);
        return [.. group.Select(one => shown.Contains(one.EventId))];

        T[] Each<T>(Func<Acknowledgement, T> value) => [.. group.Select(value)];
    }

    private sealed record Acknowledgement(Guid TaskId, Guid ClientId, string FrontendMessageId, Guid EventId);
}
