using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Tasks;

/// <summary>Tasks out of rows, and what must be true of one that is to be answered.</summary>
internal static class TaskRows
{
    public const string Columns = """
        id, created_date, expiry_date, user_id, type, mode, valid_labels, mandatory_labels, ranked_ids, api_client_id, ack, done, skipped,
        frontend_message_id, message_tree_id, parent_message_id, collective
        """;

    /// <summary>How many columns there are.</summary>
    public const int Width = 17;

    private const string ById = $"select {Columns} from feedback.task where api_client_id = $1 and id = $2";

    private static readonly string ByFrontendId = $"select {Columns} from feedback.task where api_client_id = $1 and id = {Shown("$2")}";

    /// <summary>The task that the client <c>$1</c> has shown as this message.</summary>
    public static string Shown(string frontendMessageId) =>
        $"(select task_id from feedback.task_shown where api_client_id = $1 and frontend_message_id = {frontendMessageId})";

    public static Task<TaskRow?> FindAsync(NpgsqlConnection connection, Guid clientId, Guid id, CancellationToken ct) =>
        OneAsync(connection, Statement.Of(ById, clientId, id), ct);

    public static Task<TaskRow?> LockAsync(FeedbackChange change, Guid clientId, Guid id, CancellationToken ct) =>
        OneAsync(change.Connection, Statement.Of($"{ById} for update", clientId, id), ct);

    public static Task<TaskRow?> LockAcknowledgedAsync(
        FeedbackChange change, Guid clientId, string frontendMessageId, CancellationToken ct) =>
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

    public static TaskRow Read(NpgsqlDataReader row, int first = 0) => new()
    {
        Id = row.GetGuid(first),
        CreatedDate = row.GetFieldValue<DateTimeOffset>(first + 1),
        ExpiryDate = row.InstantOrNull(first + 2),
        UserId = row.GuidOrNull(first + 3),
        Type = row.GetString(first + 4),
        Mode = row.StringOrNull(first + 5),
        ValidLabels = row.IsDBNull(first + 6) ? null : row.GetFieldValue<string[]>(first + 6),
        MandatoryLabels = row.IsDBNull(first + 7) ? null : row.GetFieldValue<string[]>(first + 7),
        RankedIds = row.IsDBNull(first + 8) ? null : row.GetFieldValue<Guid[]>(first + 8),
        ApiClientId = row.GetGuid(first + 9),
        Ack = row.IsDBNull(first + 10) ? null : row.GetBoolean(first + 10),
        Done = row.GetBoolean(first + 11),
        Skipped = row.GetBoolean(first + 12),
        FrontendMessageId = row.StringOrNull(first + 13),
        MessageTreeId = row.GuidOrNull(first + 14),
        ParentMessageId = row.GuidOrNull(first + 15),
        Collective = row.GetBoolean(first + 16),
    };

    private static async Task<TaskRow?> OneAsync(NpgsqlConnection connection, NpgsqlBatchCommand statement, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(connection, ct, statement);
        await using var row = await batch.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? Read(row) : null;
    }
}
