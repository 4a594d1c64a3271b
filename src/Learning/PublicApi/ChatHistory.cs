using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;
using Stoa.Learning.Wire;
using Stoa.Platform.Data;

namespace Stoa.Learning.PublicApi;

/// <summary>
/// All that was said about a school's questions, line by line as the database gives it: no export is ever whole in memory.
/// </summary>
internal sealed class ChatHistory(NpgsqlDataSource source)
{
    private const int FlushAt = 32 << 10;

    // Once for each course that has the task.
    private const string Select = """
        select c.id, coalesce(c.said_at, c.created_at), c.user_id, u.email, c.question_id, q.task_id, c.role, c.content,
          c.response_type, ct.course_id
        from learning.tasks t
        join learning.questions q on q.task_id = t.id
        join learning.chat_history c on c.question_id = q.id and c.deleted_at is null
        join learning.users u on u.id = c.user_id
        left join learning.course_tasks ct on ct.task_id = t.id and ct.deleted_at is null
        where t.org_id = $1 and t.deleted_at is null
        order by c.created_at, c.id, ct.course_id
        """;

    public async Task WriteAsync(int orgId, PipeWriter to, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Select);
        command.Parameters.Add(new() { Value = orgId });
        await using var row = await command.ExecuteReaderAsync(ct);
        await using var json = new Utf8JsonWriter(to);
        while (await row.ReadAsync(ct))
        {
            JsonSerializer.Serialize(json, LineOf(row), PublicApiJson.Default.Line);
            await json.FlushAsync(ct);
            json.Reset();
            to.Write("\n"u8);
            if (to.UnflushedBytes > FlushAt)
            {
                await to.FlushAsync(ct);
            }
        }
        await to.FlushAsync(ct);
    }

    private static Line LineOf(NpgsqlDataReader row) => new(
        row.GetInt32(0), row.GetFieldValue<DateTimeOffset>(1), row.GetInt32(2),
        row.GetString(3), row.GetInt32(4), row.GetInt32(5), row.GetString(6),
        row.StringOrNull(7), row.StringOrNull(8), row.Int32OrNull(9));

    internal sealed record Line(
        int Id, [property: JsonConverter(typeof(WholeSeconds))] DateTimeOffset CreatedAt,
        int UserId, string UserEmail, int QuestionId, int TaskId,
        string Role, string? Content, string? ResponseType, int? CourseId);

    /// <summary><c>2026-11-20 09:41:06</c>, in UTC.</summary>
    internal sealed class WholeSeconds() : InstantForm("yyyy-MM-dd HH:mm:ss");
}
