using Npgsql;

namespace Stoa.Feedback;

/// <summary>Rows of one statement as a list.</summary>
internal static class StatementReading
{
    public static async Task<List<T>> ListAsync<T>(
        this NpgsqlDataSource source, NpgsqlBatchCommand statement, Func<NpgsqlDataReader, T> read, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return await connection.ListAsync(statement, read, ct);
    }

    public static async Task<List<T>> ListAsync<T>(
        this NpgsqlConnection connection, NpgsqlBatchCommand statement, Func<NpgsqlDataReader, T> read, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(connection, ct, statement);
        var rows = new List<T>();
        await using var row = await batch.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            rows.Add(read(row));
        }
        return rows;
    }

    /// <summary>How many rows it changed.</summary>
    public static async Task<int> ExecuteAsync(this NpgsqlDataSource source, NpgsqlBatchCommand statement, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return await connection.ExecuteAsync(statement, ct);
    }

    /// <inheritdoc cref="ExecuteAsync(NpgsqlDataSource, NpgsqlBatchCommand, CancellationToken)"/>
    public static async Task<int> ExecuteAsync(this NpgsqlConnection connection, NpgsqlBatchCommand statement, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(connection, ct, statement);
        return await batch.ExecuteNonQueryAsync(ct);
    }
}
