using Npgsql;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Tasks;

/// <summary>Tasks out of rows, and what must be true of one that is to be answered.</summary>
internal static class TaskRows
{
    public const string Columns = """
        id, created_date, expiry_date, user_id, type, mode, valid_labels, mandatory_labels, ranked_ids, api_client_id, ack, done, skipped,
        frontend_message_id, message_tree_id, parent_message_id, collective
        """;

    /// <summary>Of a client, <c>$1</c> and <c>$2</c>.</summary>
    public const string ById = $"select {Columns} from feedback.task where api_client_id = $1 and id = $2";

    public const string ByFrontendId = $"select {Columns} from feedback.task where api_client_id = $1 and frontend_message_id = $2";

    public static Task<TaskRow?> FindAsync(NpgsqlConnection connection, Guid clientId, Guid id, CancellationToken ct) =>
        OneAsync(connection, Statement.Of(ById, clientId, id), ct);

    public static Task<TaskRow?> LockAsync(FeedbackChange change, Guid clientId, Guid id, CancellationToken ct) =>
        OneAsync(change.Connection, Statement.Of($"{ById} for update", clientId, id), ct);

    public static Task<TaskRow?> LockAcknowledgedAsync(FeedbackChange change, Guid clientId, string frontendMessageId, CancellationToken ct) =>
        OneAsync(change.Connection, Statement.Of($"{ByFrontendId} for update", clientId, frontendMessageId), ct);

    public static bool IsExpired(this TaskRow task, DateTimeOffset now) => task.ExpiryDate <= now;

    /// <summary>For an answer: there, not expired, acknowledged, not done, and this user's.</summary>
    /// <exception cref="Failure">2100, 2101, 2104, 2105, 2106, in this order.</exception>
    public static TaskRow RequireAnswerable(this TaskRow? task, Guid? userId, DateTimeOffset now)
    {
        if (task is null)
        {
            throw FeedbackCode.TaskNotFound.Refusal("Task not found");
        }
        if (!task.IsExpired(now) && task.Ack != true)
        {
            throw FeedbackCode.TaskNotAcknowledged.Refusal("The task was not acknowledged");
        }
        task.RequireOpen(userId, now);
        return task;
    }

    /// <exception cref="Failure">2101, 2105, 2106, in this order.</exception>
    public static void RequireOpen(this TaskRow task, Guid? userId, DateTimeOffset now)
    {
        if (task.IsExpired(now))
        {
            throw FeedbackCode.TaskExpired.Refusal("The task has expired");
        }
        if (task.Done)
        {
            throw FeedbackCode.TaskAlreadyDone.Refusal("The task is done");
        }
        if (!task.Collective && task.UserId is not null && task.UserId != userId)
        {
            throw FeedbackCode.TaskNotAssignedToUser.Refusal("The task is another user's");
        }
    }

    public static TaskRow Read(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        CreatedDate = row.GetFieldValue<DateTimeOffset>(1),
        ExpiryDate = row.IsDBNull(2) ? null : row.GetFieldValue<DateTimeOffset>(2),
        UserId = row.IsDBNull(3) ? null : row.GetGuid(3),
        Type = row.GetString(4),
        Mode = row.IsDBNull(5) ? null : row.GetString(5),
        ValidLabels = row.IsDBNull(6) ? null : row.GetFieldValue<string[]>(6),
        MandatoryLabels = row.IsDBNull(7) ? null : row.GetFieldValue<string[]>(7),
        RankedIds = row.IsDBNull(8) ? null : row.GetFieldValue<Guid[]>(8),
        ApiClientId = row.GetGuid(9),
        Ack = row.IsDBNull(10) ? null : row.GetBoolean(10),
        Done = row.GetBoolean(11),
        Skipped = row.GetBoolean(12),
        FrontendMessageId = row.IsDBNull(13) ? null : row.GetString(13),
        MessageTreeId = row.IsDBNull(14) ? null : row.GetGuid(14),
        ParentMessageId = row.IsDBNull(15) ? null : row.GetGuid(15),
        Collective = row.GetBoolean(16),
    };

    private static async Task<TaskRow?> OneAsync(NpgsqlConnection connection, NpgsqlBatchCommand statement, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(connection, ct, statement);
        await using var row = await batch.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? Read(row) : null;
    }
}
