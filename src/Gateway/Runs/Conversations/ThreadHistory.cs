using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Runs.Conversations;

/// <summary>
/// Reads what conversations hold: the newest exchanges, the memory, the summary and the files of each, in one round trip.
/// </summary>
internal static class ThreadHistory
{
    // Both until the end of its transaction. By its own reckoning the server would plan anew for each group, since it takes the planned one
    // to be larger. And no run waits for the disk because of its turn: one that a crash of the server takes is lost as if its lease had run
    // out.
    private const string TransactionSettings = """
        select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('synchronous_commit', 'off', true)
        """;

    // By the index runs_by_thread. More are not looked at; how many of them a model sees is a question of tokens.
    private const string Exchanges = """
        select wanted.place, past.*
        from unnest($1, $2, $3, $4) with ordinality as wanted (organization, agent, thread, sub_thread, place)
        cross join lateral (
          select id, created_at, user_message, answer,
            case when document -> 'tools_call_data' <> '[]' then document ->> 'tools_call_data' end,
            case when created_at > now() - interval '7 days' and document -> 'user_urls' <> '[]' then document ->> 'user_urls' end
          from gateway.runs
          where organization_id = organization and agent_id = agent and thread_id = thread and sub_thread_id = sub_thread and is_success
            and user_message is not null and answer is not null
          order by created_at desc
          limit 50
        ) as past
        """;

    private const string Threads = """
        select place, display_name, memory, summary, summarized_to, case when sticky_at > now() - interval '3 days' then sticky_agent_id end
        from unnest($1, $2, $3, $4) with ordinality as wanted (organization_id, agent_id, thread_id, sub_thread_id, place)
        join gateway.threads using (organization_id, agent_id, thread_id, sub_thread_id)
        """;

    // By the index thread_files_by_thread.
    private static readonly string Files = $"""
        select place, path, bytes, expires_at
        from unnest($1, $2, $3, $4) with ordinality as wanted (organization, agent, thread, sub_thread, place)
        cross join lateral (
          select path, bytes, expires_at from gateway.thread_files
          where organization_id = organization and agent_id = agent and thread_id = thread and sub_thread_id = sub_thread
          order by id desc
          limit {ThreadFile.Most}
        ) as file
        """;

    public static async Task<ThreadPast> ReadAsync(NpgsqlDataSource database, ThreadKey thread, CancellationToken ct) =>
        (await ReadAsync(database, [thread], take: null, ct)).Pasts[0];

    /// <param name="take">Runs first, and gives the holder of each conversation that may go on.</param>
    public static async Task<(HashSet<Guid> Taken, ThreadPast[] Pasts)> ReadAsync(
        NpgsqlDataSource database, IReadOnlyList<ThreadKey> threads, NpgsqlBatchCommand? take, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new(TransactionSettings));
        if (take is not null)
        {
            batch.BatchCommands.Add(take);
        }
        batch.BatchCommands.Add(ThreadKey.Command(Exchanges, threads));
        batch.BatchCommands.Add(ThreadKey.Command(Threads, threads));
        batch.BatchCommands.Add(ThreadKey.Command(Files, threads));
        await batch.PrepareAsync(ct);
        await using var rows = await batch.ExecuteReaderAsync(ct);
        await rows.NextResultAsync(ct);
        var taken = new HashSet<Guid>();
        if (take is not null)
        {
            while (await rows.ReadAsync(ct))
            {
                taken.Add(rows.GetGuid(0));
            }
            await rows.NextResultAsync(ct);
        }
        var exchanges = threads.Select(_ => new List<(DateTime At, PastExchange Exchange)>()).ToArray();
        while (await rows.ReadAsync(ct))
        {
            exchanges[rows.GetInt64(0) - 1].Add((
                rows.GetDateTime(2),
                new(rows.GetGuid(1), rows.GetString(3), rows.GetString(4), rows.StringOrNull(5), rows.StringOrNull(6))));
        }
        var pasts = Array.ConvertAll(
            exchanges, own => ThreadPast.None with { Exchanges = [.. own.OrderBy(one => one.At).Select(one => one.Exchange)] });
        await rows.NextResultAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            var place = rows.GetInt64(0) - 1;
            pasts[place] = new(
                pasts[place].Exchanges, rows.StringOrNull(1), rows.StringOrNull(2), rows.StringOrNull(3), rows.GuidOrNull(4),
                rows.StringOrNull(5));
        }
        await rows.NextResultAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            var place = rows.GetInt64(0) - 1;
            pasts[place] = pasts[place] with
            {
                Files = [.. pasts[place].Files, new(rows.GetString(1), rows.GetInt64(2), rows.GetFieldValue<DateTimeOffset>(3))],
            };
        }
        return (taken, pasts);
    }
}
