using System.Globalization;
using Npgsql;
using Stoa.Assistants.Documents.Vectors;

namespace Stoa.Assistants.Documents.Retrieval;

/// <summary>
/// Chunks whose vectors are nearest to a question's. Of a user with few chunks all are compared; of one with many the server first picks
/// those whose signs differ least where the question's numbers are large, which costs a counting of bits for each, or where there is one a look
/// into the index of pgvector, and only their vectors are read and compared. Signs tell little of short vectors, so of these more are read.
/// </summary>
internal sealed class VectorSearch(NpgsqlDataSource source, VectorIndex index)
{
    /// <summary>So many bytes of vectors are compared, 4,000 small ones of 1 KB, and of large ones of 6 KB a thousand; one at a time is held.</summary>
    private const int Compared = 4 << 20;

    private const int LeastCompared = 1_000;

    /// <summary>As many as an index looks for at a time.</summary>
    private const int FromIndex = 1_000;

    // For this statement alone: the index is taken whatever the planner thinks of it, and goes on until it has found enough of the user's.
    private const string IndexTerms = """
        select set_config('enable_sort', 'off', true), set_config('hnsw.ef_search', '1000', true),
          set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.max_scan_tuples', '200000', true),
          set_config('hnsw.scan_mem_multiplier', '8', true)
        """;

    private const string Statement = """
        select c.id, c.embedding from assistants.document_chunks c
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
        var most = Math.Max(LeastCompared, Compared / (length * sizeof(float)));
        var place = await index.PlaceAsync(userId, question.Model, length, ct);
        await using var connection = await source.OpenConnectionAsync(ct);
        // One implicit transaction, with which the terms end.
        await using var batch = new NpgsqlBatch(connection);
        if (place is not null)
        {
            batch.BatchCommands.Add(new(IndexTerms));
        }
        batch.BatchCommands.Add(new(place is null ? Statement : IndexedStatement(place, length))
        {
            Parameters =
            {
                new() { Value = userId }, new() { Value = question.Model }, new() { Value = VectorBytes.Signature(question.Numbers) },
                new() { Value = place is null ? most : Math.Min(most, FromIndex) },
            },
        });
        if (place is null)
        {
            var (twos, ones) = VectorBytes.Weights(question.Numbers);
            batch.BatchCommands[0].Parameters.Add(new() { Value = twos });
            batch.BatchCommands[0].Parameters.Add(new() { Value = ones });
        }
        await using var rows = await batch.ExecuteReaderAsync(ct);
        if (place is not null)
        {
            await rows.NextResultAsync(ct);
        }
        var nearest = new PriorityQueue<int, float>();
        while (await rows.ReadAsync(ct))
        {
            var near = VectorBytes.Product(question.Numbers, rows.GetFieldValue<byte[]>(1));
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
    }

    /// <summary>In the words of <see cref="VectorIndex"/>'s indexes, or they are not found.</summary>
    private static string IndexedStatement(string schema, int dimensions) => string.Create(CultureInfo.InvariantCulture, $"""
        select c.id, c.embedding from assistants.document_chunks c
        where c.id = any (array(
          select n.id from assistants.document_chunks n
          where n.user_id = $1 and n.embedding_model = $2 and n.deleted_at is null and length(n.signature) = {dimensions}
          order by n.signature::bit({dimensions}) operator({schema}.<~>) $3::bit({dimensions}) limit $4
        ))
        """);
}
