using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Learning.Traces;

/// <summary>One learner's turns of a day with the tutor about one question, or about one assignment.</summary>
/// <param name="Id">The same whenever it is read again.</param>
internal sealed record Conversation(
    string Id, DateTimeOffset StartTime, DateTimeOffset EndTime,
    ConversationAbout Metadata, string? Context, List<ConversationTurn> Messages,
    string TraceId, string SpanKind, string SpanName, ConversationModel? Llm)
{
    public DateTimeOffset EndTime { get; set; } = EndTime;
}

internal sealed record ConversationTurn(string Role, string? Content);

internal sealed record ConversationModel(string ModelName, string? Provider);

/// <summary>No name and no address: who it was is told by the id alone.</summary>
internal sealed record ConversationAbout(
    int UserId, int OrgId, string OrgName, int TaskId, string TaskTitle,
    string Type, int? QuestionId, string? QuestionTitle, string? QuestionType,
    string? QuestionPurpose, string? QuestionInputType);

/// <summary>Reads conversations one by one, in the order of learners.</summary>
internal sealed class Conversations(NpgsqlDataSource source)
{
    private const string Select = """
        select c.user_id, o.id, o.name, t.id, t.title, t.type, c.question_id, q.title, q.type, q.response_type, q.input_type,
          c.created_at, c.role,
          c.content, (
            select e.model from learning.evaluations e
            where e.user_id = c.user_id and e.task_id = t.id and e.question_id is not distinct from c.question_id and e.model is not null
              and e.created_at >= $1 and e.created_at < $2
            order by e.id desc limit 1)
        from learning.chat_history c
        left join learning.questions q on q.id = c.question_id
        join learning.tasks t on t.id = coalesce(q.task_id, c.task_id)
        join learning.organizations o on o.id = t.org_id
        where c.created_at >= $1 and c.created_at < $2 and c.deleted_at is null
        order by c.user_id, t.id, c.question_id, c.created_at, c.id
        """;

    public async IAsyncEnumerable<Conversation> ReadAsync(
        DateOnly day, DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var command = source.CreateCommand(Select);
        command.Parameters.Add(new() { Value = from.ToUniversalTime() });
        command.Parameters.Add(new() { Value = to.ToUniversalTime() });
        await using var row = await command.ExecuteReaderAsync(ct);
        Conversation? current = null;
        while (await row.ReadAsync(ct))
        {
            var about = AboutOf(row);
            if (current?.Metadata != about)
            {
                if (current is not null)
                {
                    yield return current;
                }
                current = Begin(about, day, row.GetFieldValue<DateTimeOffset>(11), row.StringOrNull(14));
            }
            current.Messages.Add(new(row.GetString(12), row.StringOrNull(13)));
            current.EndTime = row.GetFieldValue<DateTimeOffset>(11);
        }
        if (current is not null)
        {
            yield return current;
        }
    }

    private static Conversation Begin(ConversationAbout about, DateOnly day, DateTimeOffset at, string? model)
    {
        var session = about.QuestionId is { } question
            ? string.Create(CultureInfo.InvariantCulture, $"quiz_{about.TaskId}_{question}_{about.UserId}")
            : string.Create(CultureInfo.InvariantCulture, $"assignment_{about.TaskId}_{about.UserId}");
        return new(
            $"{session}_{day:yyyy-MM-dd}", at, at, about, Context: null, [], session,
            "LLM", about.QuestionId is null ? "assignment_evaluation" : "ai_chat",
            model is null ? null : ModelOf(model));
    }

    // A model that is named with its provider: openai/gpt-4.1.
    private static ConversationModel ModelOf(string model) =>
        model.Split('/', 2) is [var provider, var name] ? new(name, provider) : new(model, Provider: null);

    private static ConversationAbout AboutOf(NpgsqlDataReader row)
    {
        return new(
            row.GetInt32(0), row.GetInt32(1), row.GetString(2), row.GetInt32(3), row.GetString(4), row.GetString(5), row.Int32OrNull(6),
            row.StringOrNull(7), row.StringOrNull(8),
            row.StringOrNull(9) switch { "chat" => "practice", var purpose => purpose }, row.StringOrNull(10));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Conversation))]
[JsonSerializable(typeof(System.Text.Json.JsonElement))]
[JsonSerializable(typeof(SaveTraces))]
internal sealed partial class TraceJson : JsonSerializerContext;
