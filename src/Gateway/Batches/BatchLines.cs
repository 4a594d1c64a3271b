using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;
using Stoa.Gateway.Completions;

namespace Stoa.Gateway.Batches;

/// <summary>The lines of batches in the database.</summary>
internal sealed class BatchLines(NpgsqlDataSource source)
{
    /// <summary>In the transaction of the connection.</summary>
    public static async Task AddAsync(NpgsqlConnection connection, string batchId, IReadOnlyList<BatchLine> lines, CancellationToken ct)
    {
        await using var insert = new NpgsqlCommand("""
            insert into gateway.batch_lines (batch_id, number, custom_id, request)
            select $1, * from unnest($2, $3, $4)
            """, connection);
        insert.Parameters.Add(new() { Value = batchId });
        insert.Parameters.Add(new() { Value = lines.Select(line => line.Number).ToArray() });
        insert.Parameters.Add(new() { Value = lines.Select(line => line.CustomId).ToArray() });
        insert.Parameters.Add(new()
        {
            Value = lines.Select(line => line.Request.ToArray()).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea,
        });
        await insert.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The next lines without an answer.</summary>
    public async Task<List<BatchLine>> OpenAsync(string batchId, int after, int limit, CancellationToken ct)
    {
        await using var select = source.CreateCommand("""
            select number, custom_id, request from gateway.batch_lines
            where batch_id = $1 and number > $2 and answer is null order by number limit $3
            """);
        select.Parameters.Add(new() { Value = batchId });
        select.Parameters.Add(new() { Value = after });
        select.Parameters.Add(new() { Value = limit });
        await using var rows = await select.ExecuteReaderAsync(ct);
        var lines = new List<BatchLine>();
        while (await rows.ReadAsync(ct))
        {
            lines.Add(new(rows.GetInt32(0), rows.GetString(1), rows.GetFieldValue<byte[]>(2)));
        }
        return lines;
    }

    /// <summary>The line while it has no answer.</summary>
    public async Task<BatchLine?> FindOpenAsync(string batchId, int number, CancellationToken ct) =>
        await OpenAsync(batchId, number - 1, 1, ct) is [{ } line] && line.Number == number ? line : null;

    /// <summary>Only the first answer of a line counts, and is counted.</summary>
    public async Task AnswerAsync(string batchId, int number, InnerAnswer answer, CancellationToken ct)
    {
        await using var update = source.CreateCommand("""
            with answered as (
              update gateway.batch_lines set status = $3, request_id = $4, answer = $5, request = null
              where batch_id = $1 and number = $2 and answer is null
              returning 1
            )
            update gateway.batches set completed = completed + $6, failed = failed + 1 - $6
            where id = $1 and exists (select 1 from answered)
            """);
        update.Parameters.Add(new() { Value = batchId });
        update.Parameters.Add(new() { Value = number });
        update.Parameters.Add(new() { Value = answer.Status });
        update.Parameters.Add(new() { Value = answer.RequestId });
        update.Parameters.Add(new() { Value = answer.Body });
        update.Parameters.Add(new() { Value = answer.IsSuccess ? 1 : 0 });
        await update.ExecuteNonQueryAsync(ct);
    }

    /// <summary>All lines in their order.</summary>
    public async IAsyncEnumerable<BatchResult> ResultsAsync(string batchId, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var select = source.CreateCommand("""
            select number, custom_id, status, request_id, answer from gateway.batch_lines where batch_id = $1 order by number
            """);
        select.Parameters.Add(new() { Value = batchId });
        await using var rows = await select.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            yield return await rows.IsDBNullAsync(2, ct)
                ? new(rows.GetInt32(0), rows.GetString(1), null, null, default)
                : new(rows.GetInt32(0), rows.GetString(1), rows.GetInt32(2), rows.GetString(3), rows.GetFieldValue<byte[]>(4));
        }
    }
}
