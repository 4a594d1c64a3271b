using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Feedback.HuggingFace;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Search;

/// <param name="Similarity">The cosine of the two vectors.</param>
internal sealed record SimilarMessage(Guid MessageId, Guid MessageTreeId, double Similarity, string Text);

internal sealed record SimilarMessagesView(IReadOnlyList<SimilarMessage> Items);

/// <summary>
/// Finds texts that say nearly the same as another: an exact search over the vectors of its language and model, read through once and never
/// held.
/// </summary>
internal sealed class SimilarMessages(NpgsqlDataSource source, IOptions<HuggingFaceOptions> options)
{
    private const string Own = """
        select embedding, lang from feedback.message_embedding join feedback.message on id = message_id where message_id = $1 and model = $2
        """;

    private const string Others = """
        select message_id, embedding from feedback.message_embedding join feedback.message on id = message_id
        where model = $2 and lang = $3 and not deleted and message_id <> $1
        """;

    /// <summary>The most similar first; none without a vector of its own.</summary>
    /// <param name="from">The least cosine; the setting's unless given.</param>
    /// <exception cref="Failure">Not found: there is no such message.</exception>
    public async Task<IReadOnlyList<SimilarMessage>> OfAsync(Guid messageId, double? from, int most, CancellationToken ct)
    {
        var model = options.Value.EmbeddingModel;
        var own = await source.ListAsync(
            Statement.Of(Own, messageId, model), row => (Vector: row.GetFieldValue<float[]>(0), Lang: row.GetString(1)), ct);
        if (own is not [var (vector, lang)])
        {
            var exists = await source.ListAsync(Statement.Of("select 1 from feedback.message where id = $1", messageId), _ => true, ct);
            return exists is [] ? throw Failure.NotFound("Message") : [];
        }
        var near = await NearAsync(Statement.Of(Others, messageId, model, lang), vector, from ?? options.Value.SimilarFrom, most, ct);
        var texts = (await source.ListAsync(
            Statement.Of(
                "select id, message_tree_id, text from feedback.message where id = any ($1)", near.Select(one => one.Id).ToArray()),
            row => (Id: row.GetGuid(0), Tree: row.GetGuid(1), Text: row.GetString(2)), ct)).ToDictionary(row => row.Id);
        // One may have been purged meanwhile.
        return [.. near.Where(one => texts.ContainsKey(one.Id))
            .Select(one => new SimilarMessage(one.Id, texts[one.Id].Tree, one.Cosine, texts[one.Id].Text))];
    }

    private async Task<List<(Guid Id, double Cosine)>> NearAsync(
        NpgsqlBatchCommand others, float[] vector, double least, int most, CancellationToken ct)
    {
        // The least similar of the best is the first to go.
        var best = new PriorityQueue<Guid, double>();
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var batch = await Statement.BatchAsync(connection, ct, others);
        await using var row = await batch.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            if (Cosine(vector, row.GetFieldValue<float[]>(1)) is var cosine && cosine >= least)
            {
                best.Enqueue(row.GetGuid(0), cosine);
                if (best.Count > most)
                {
                    best.Dequeue();
                }
            }
        }
        return [.. best.UnorderedItems.OrderByDescending(one => one.Priority)
            .ThenBy(one => one.Element).Select(one => (one.Element, one.Priority))];
    }

    /// <summary>Of vectors of different lengths, or without one, nothing is alike.</summary>
    internal static double Cosine(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        if (one.Length != other.Length)
        {
            return -1;
        }
        var lengths = Math.Sqrt((double)Dot(one, one) * Dot(other, other));
        return lengths > 0 ? Dot(one, other) / lengths : -1;
    }

    private static float Dot(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        var left = MemoryMarshal.Cast<float, Vector<float>>(one);
        var right = MemoryMarshal.Cast<float, Vector<float>>(other);
        var sums = Vector<float>.Zero;
        for (var i = 0; i < left.Length; i++)
        {
            sums += left[i] * right[i];
        }
        var sum = Vector.Sum(sums);
        for (var i = left.Length * Vector<float>.Count; i < one.Length; i++)
        {
            sum += one[i] * other[i];
        }
        return sum;
    }
}
