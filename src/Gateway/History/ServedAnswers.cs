using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Gateway.History;

/// <summary>Answers of agents out of their history. Runs without a thread have nothing before them.</summary>
internal sealed class ServedAnswers(NpgsqlDataSource source) : IServedAnswers
{
    // The newest run of a message counts, as in the history. Each conversation is read along the index of its thread.
    private const string Select = """
        select served.message_id, served.user_message, served.answer, a.slug, served.version_id, served.model, served.service,
          earlier.questions, earlier.answers
        from (
          select distinct on (message_id) * from gateway.runs
          where organization_id = $1 and message_id = any ($2) and is_success and answer is not null and user_message is not null
          order by message_id, number desc) served
        left join gateway.agents a on a.id = served.agent_id
        cross join lateral (
          select array_agg(user_message order by created_at, number) as questions, array_agg(answer order by created_at, number) as answers
          from (
            select user_message, answer, created_at, number from gateway.runs said
            where said.organization_id = $1 and said.agent_id = served.agent_id and said.thread_id = served.thread_id
              and said.sub_thread_id = served.sub_thread_id and said.created_at <= served.created_at and said.number < served.number
              and said.is_success and said.answer <> '' and said.user_message <> ''
            order by said.created_at desc, said.number desc limit $3) as last) earlier
        """;

    private const int MostEarlier = 40;

    public async Task<IReadOnlyList<ServedAnswer>> FindAsync(
        Guid organizationId, IReadOnlyCollection<string> messageIds, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Select);
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = messageIds.ToArray() });
        command.Parameters.Add(new() { Value = MostEarlier });
        List<ServedAnswer> found = [];
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            string[] questions = row.IsDBNull(7) ? [] : row.GetFieldValue<string[]>(7), answers = row.IsDBNull(8)
                ? [] : row.GetFieldValue<string[]>(8);
            found.Add(new(
                row.GetString(0), [.. questions.Zip(answers, (question, answer) => new ServedExchange(question, answer))],
                row.GetString(1), row.GetString(2),
                row.StringOrNull(3), row.StringOrNull(4), row.GetString(5), row.GetString(6)));
        }
        return found;
    }
}
