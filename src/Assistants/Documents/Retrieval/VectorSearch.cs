using System.Globalization;
using Npgsql;
using Stoa.Assistants.Documents.Vectors;

namespace Stoa.Assistants.Documents.Retrieval;

/// <summary>
/// Chunks whose vectors are nearest to a question's. Of a user with few chunks all are compared; of one with many the server first picks
/// those whose signs differ least where the question's numbers are large, which costs a counting of bits for each, or where there is one a
/// look
/// into the index of pgvector, and only their vectors are read and compared. Signs tell little of short vectors, so of these more are read.
/// What is
/// read of a vector are the upper halves of its numbers, which stand in the row: whole ones, which stand apart, would cost a look-up for
/// each.
/// </summary>
internal sealed class VectorSearch(NpgsqlDataSource source, VectorIndex index)
{
    /// <summary>
    /// So many bytes of vectors are compared: 16,000 small ones of 512 bytes, 2,700 large ones of 3 KB, of which one at a time is held.
    /// </summary>
    private const int Compared = 8 << 20;

    /// <summary>As many as an index looks for at a time.</summary>
    private const int FromIndex = 1_000;

    // For this statement alone: the index is taken whatever the planner thinks of it, and goes on until it has found enough of the user's.
    private const string IndexTerms = """
        select set_config('enable_sort', 'off', true), set_config('hnsw.ef_search', '1000', true),
          set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.max_scan_tuples', '200000', true),
          set_config('hnsw.scan_mem_multiplier', '8', true)
        """;

    private const string HasMore = """
        select exists (
          select from assistants.document_chunks where user_id = $1 and embedding_model = $2 and deleted_at is null offset $3
        )
        """;

    private const string All = """
        select c.id, c.halves from assistants.document_chunks c
        where c.user_id = $1 and c.embedding_model = $2 and c.deleted_at is null and length(c.signature) = $3
        """;

    private const string Statement = """
        select c.id, c.halves from assistants.document_chunks c
        where c.id in (
          select n.id from assistants.document_chunks n
          where n.user_id = $1 and n.embedding_model = $2 and n.deleted_at is null and length(n.signature) = length($3::varbit)
          order by 2 * bit_count((n.signature # $3::varbit) & $5::varbit) + bit_count((n.signature # $3::varbit) & $6::varbit) limit $4
        )
        """;

    /// <summary>Ids of chunks, the nearest first.</summary>
    public async Task<List<int>> FindAsync(string userId, TextVector question, int wanted, CancellationToken ct)
    {
        var length = question.Numbers.Length;
        var most = Compared / (length * VectorBytes.HalfSize);
        var place = await index.PlaceAsync(userId, question.Model, length, ct);
        await using var connection = await source.OpenConnectionAsync(ct);
        // One implicit transaction, with which the terms end.
        await using var batch = new NpgsqlBatch(connection);
        if (place is not null)
        {
            batch.BatchCommands.Add(new(IndexTerms));
            batch.BatchCommands.Add(
                Command(IndexedStatement(place, length), VectorBytes.Signature(question.Numbers), Math.Min(most, FromIndex)));
        }
        else if (await HasMoreAsync(connection, userId, question.Model, most, ct))
        {
            var (twos, ones) = VectorBytes.Weights(question.Numbers);
            batch.BatchCommands.Add(Command(Statement, VectorBytes.Signature(question.Numbers), most, twos, ones));
        }
        else
        {
            batch.BatchCommands.Add(Command(All, length));
        }
        if (place is null)
        {
            await batch.PrepareAsync(ct);
        }
        await using var rows = await batch.ExecuteReaderAsync(ct);
        if (place is not null)
        {
            await rows.NextResultAsync(ct);
        }
        var nearest = new PriorityQueue<int, float>();
        // One after the other in the same place: thousands of them are read for each question.
        var bytes = new byte[length * VectorBytes.HalfSize];
        while (await rows.ReadAsync(ct))
        {
            var near = rows.GetBytes(1, 0, null, 0, 0) == bytes.Length && rows.GetBytes(1, 0, bytes, 0, bytes.Length) == bytes.Length
                ? VectorBytes.Product(question.Numbers, bytes)
                : 0;
            if (nearest.Count < wanted)
            {
                nearest.Enqueue(rows.GetInt32(0), near);
            }
            else
            {
                nearest.EnqueueDequeue(rows.GetInt32(0), near);
            }
        }
        var found = new List<int>(nearest.Count);
        while (nearest.TryDequeue(out var id, out _))
        {
            found.Add(id);
        }
        found.Reverse();
        return found;

        NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<object> values)
        {
            var command = new NpgsqlBatchCommand(sql) { Parameters = { new() { Value = userId }, new() { Value = question.Model } } };
            foreach (var value in values)
            {
                command.Parameters.Add(new() { Value = value });
            }
            return command;
        }
    }

    /// <summary>Whether the user has so many that they are not all compared.</summary>
    private static async Task<bool> HasMoreAsync(NpgsqlConnection connection, string userId, string model, int most, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(HasMore, connection)
        {
            Parameters = { new() { Value = userId }, new() { Value = model }, new() { Value = most } },
        };
        await command.PrepareAsync(ct);
        return await command.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>In the words of <see cref="VectorIndex"/>'s indexes, or they are not found.</summary>
    private static string IndexedStatement(string schema, int dimensions) => string.Create(CultureInfo.InvariantCulture, $"""
        select c.id, c.halves from assistants.document_chunks c
        where c.id = any (array(
          select n.id from assistants.document_chunks n
          where n.user_id = $1 and n.embedding_model = $2 and n.deleted_at is null and length(n.signature) = {dimensions}
          order by n.signature::bit({dimensions}) operator({schema}.<~>) $3::bit({dimensions}) limit $4
        ))
        """);
}
