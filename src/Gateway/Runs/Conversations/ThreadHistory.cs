using Npgsql;

namespace Stoa.Gateway.Runs.Conversations;

/// <summary>Reads what a conversation holds: its newest exchanges, its memory, its summary and its files, in one round trip.</summary>
internal static class ThreadHistory
{
    // By the index runs_by_thread. More are not looked at; how many of them a model sees is a question of tokens.
    private const string Exchanges = """
        select id, user_message, answer, case when document -> 'tools_call_data' <> '[]' then document ->> 'tools_call_data' end,
          case when created_at > now() - interval '7 days' and document -> 'user_urls' <> '[]' then document ->> 'user_urls' end
        from gateway.runs
        where organization_id = $1 and agent_id = $2 and thread_id = $3 and sub_thread_id = $4 and is_success
          and user_message is not null and answer is not null
        order by created_at desc
        limit 50
        """;

    private const string Thread = """
        select display_name, memory, summary, summarized_to, case when sticky_at > now() - interval '3 days' then sticky_agent_id end
        from gateway.threads where organization_id = $1 and agent_id = $2 and thread_id = $3 and sub_thread_id = $4
        """;

    // By the index thread_files_by_thread.
    private static readonly string Files = $"""
        select url, bytes, expires_at from gateway.thread_files
        where organization_id = $1 and agent_id = $2 and thread_id = $3 and sub_thread_id = $4
        order by id desc
        limit {ThreadFile.Most}
        """;

    public static async Task<ThreadPast> ReadAsync(NpgsqlDataSource database, ThreadKey thread, CancellationToken ct) =>
        (await ReadAsync(database, thread, take: null, ct)).Past;

    /// <param name="take">Runs first, and gives a row where the conversation may be read.</param>
    public static async Task<(bool IsTaken, ThreadPast Past)> ReadAsync(
        NpgsqlDataSource database, ThreadKey thread, NpgsqlBatchCommand? take, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection);
        if (take is not null)
        {
            batch.BatchCommands.Add(take);
        }
        batch.BatchCommands.Add(thread.Command(Exchanges));
        batch.BatchCommands.Add(thread.Command(Thread));
        batch.BatchCommands.Add(thread.Command(Files));
        // The first time on a connection only; planning them takes the server far longer than running them.
        await batch.PrepareAsync(ct);
        await using var rows = await batch.ExecuteReaderAsync(ct);
        if (take is not null)
        {
            if (!await rows.ReadAsync(ct))
            {
                return (false, ThreadPast.None);
            }
            await rows.NextResultAsync(ct);
        }
        var exchanges = new List<PastExchange>();
        while (await rows.ReadAsync(ct))
        {
            exchanges.Add(new(rows.GetGuid(0), rows.GetString(1), rows.GetString(2), Text(rows, 3), Text(rows, 4)));
        }
        exchanges.Reverse();
        await rows.NextResultAsync(ct);
        var past = await rows.ReadAsync(ct)
            ? new ThreadPast(exchanges, Text(rows, 0), Text(rows, 1), Text(rows, 2), rows.IsDBNull(3) ? null : rows.GetGuid(3), Text(rows, 4))
            : ThreadPast.None with { Exchanges = exchanges };
        await rows.NextResultAsync(ct);
        return (true, await FilesAsync(rows, ct) is { Count: > 0 } files ? past with { Files = files } : past);
    }

    private static async Task<List<ThreadFile>> FilesAsync(NpgsqlDataReader rows, CancellationToken ct)
    {
        var files = new List<ThreadFile>();
        while (await rows.ReadAsync(ct))
        {
            files.Add(new(rows.GetString(0), rows.GetInt64(1), rows.GetFieldValue<DateTimeOffset>(2)));
        }
        return files;
    }

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
}
