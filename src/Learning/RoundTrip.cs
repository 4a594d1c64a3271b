using Npgsql;

namespace Stoa.Learning;

/// <summary>
/// Reads that are asked together, in one round trip, each planned once for a pooled connection. For what many requests ask: there the way
/// through the module's context costs more than the statement.
/// </summary>
internal sealed class RoundTrip(NpgsqlDataSource source)
{
    private readonly List<NpgsqlBatchCommand> statements = [];
    private readonly List<Action<NpgsqlDataReader>> takers = [];

    /// <param name="sql">With <c>$1</c>, <c>$2</c> for the values, none of which is null.</param>
    /// <returns>What is empty until <see cref="GoAsync"/>.</returns>
    public List<T> Ask<T>(string sql, Func<NpgsqlDataReader, T> read, params ReadOnlySpan<object> values)
    {
        var statement = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            statement.Parameters.Add(new NpgsqlParameter { Value = value });
        }
        var rows = new List<T>();
        statements.Add(statement);
        takers.Add(row => rows.Add(read(row)));
        return rows;
    }

    /// <summary>Asks everything, once.</summary>
    public async Task GoAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var batch = connection.CreateBatch();
        foreach (var statement in statements)
        {
            batch.BatchCommands.Add(statement);
        }
        await batch.PrepareAsync(ct);
        await using var reader = await batch.ExecuteReaderAsync(ct);
        foreach (var take in takers)
        {
            while (await reader.ReadAsync(ct))
            {
                take(reader);
            }
            await reader.NextResultAsync(ct);
        }
    }
}
