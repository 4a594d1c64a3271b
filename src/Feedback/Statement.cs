using System.Buffers;
using Npgsql;

namespace Stoa.Feedback;

/// <summary>
/// One statement with positional parameters: <c>Statement.Of("… where id = $1", id)</c>. A null needs a cast where it stands.
/// </summary>
internal static class Statement
{
    public static NpgsqlBatchCommand Of(string sql, params ReadOnlySpan<object?> values)
    {
        var statement = new NpgsqlBatchCommand(sql);
        for (var i = 0; i < values.Length; i++)
        {
            var parameter = new NpgsqlParameter { Value = values[i] ?? DBNull.Value };
            if (values[i] is null && CastOf(sql, i + 1) is { } type)
            {
                parameter.DataTypeName = type;
            }
            statement.Parameters.Add(parameter);
        }
        return statement;
    }

    /// <summary>
    /// The type of a null is the one that it is cast to. A statement is prepared for the types that it was first given: one with an untyped
    /// null would be another, and be planned each time.
    /// </summary>
    private static string? CastOf(string sql, int number)
    {
        var place = $"${number}::";
        var at = sql.IndexOf(place, StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }
        var rest = sql.AsSpan(at + place.Length);
        var end = rest.IndexOfAnyExcept(TypeName);
        return (end < 0 ? rest : rest[..end]).ToString();
    }

    private static readonly SearchValues<char> TypeName = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_[]");

    /// <summary>All of them in one round trip, in the transaction that is open on the connection, or in one of their own.</summary>
    public static async Task<NpgsqlBatch> BatchAsync(
        NpgsqlConnection connection, CancellationToken ct, params IEnumerable<NpgsqlBatchCommand> statements)
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
