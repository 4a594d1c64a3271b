using Npgsql;

namespace Stoa.Feedback;

/// <summary>One statement with positional parameters: <c>Statement.Of("… where id = $1", id)</c>. A null needs a cast where it stands.</summary>
internal static class Statement
{
    public static NpgsqlBatchCommand Of(string sql, params ReadOnlySpan<object?> values)
    {
        var statement = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            statement.Parameters.Add(new() { Value = value ?? DBNull.Value });
        }
        return statement;
    }

    /// <summary>All of them in one round trip, in the transaction that is open on the connection, or in one of their own.</summary>
    public static async Task<NpgsqlBatch> BatchAsync(NpgsqlConnection connection, CancellationToken ct, params IEnumerable<NpgsqlBatchCommand> statements)
    {
        var batch = connection.CreateBatch();
        foreach (var statement in statements)
        {
            batch.BatchCommands.Add(statement);
        }
        // Planned once for each pooled connection.
        await batch.PrepareAsync(ct);
        return batch;
    }
}
