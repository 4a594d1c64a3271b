using Npgsql;
using Stoa.Assistants.Documents.Vectors;

namespace Stoa.Assistants.Documents.Retrieval;

/// <summary>
/// Chunks whose vectors are nearest to a question's. Of a user with few chunks all are compared; of one with many the server first picks
/// those whose signs differ least, which costs a counting of bits for each, and only their vectors are read and compared. Signs tell little of
/// short vectors, so of these more are read.
/// </summary>
internal sealed class VectorSearch(NpgsqlDataSource source)
{
    /// <summary>So many bytes of vectors are compared: 16,000 small ones of 1 KB, 2,700 large ones of 6 KB, of which one at a time is held.</summary>
    private const int Compared = 16 << 20;

    private const string Statement = """
        select c.id, c.embedding from assistants.document_chunks c
        where c.id in (
          select n.id from assistants.document_chunks n
          where n.user_id = $1 and n.embedding_model = $2 and n.deleted_at is null and length(n.signature) = length($3::varbit)
          order by bit_count(n.signature # $3::varbit) limit $4
        )
        """;

    /// <summary>Ids of chunks, the nearest first.</summary>
    public async Task<List<int>> FindAsync(string userId, TextVector question, int most, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Statement);
        command.Parameters.Add(new() { Value = userId });
        command.Parameters.Add(new() { Value = question.Model });
        command.Parameters.Add(new() { Value = VectorBytes.Signature(question.Numbers) });
        command.Parameters.Add(new() { Value = Compared / (question.Numbers.Length * sizeof(float)) });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var nearest = new PriorityQueue<int, float>();
        while (await rows.ReadAsync(ct))
        {
            var near = VectorBytes.Product(question.Numbers, rows.GetFieldValue<byte[]>(1));
            if (nearest.Count < most)
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
}
