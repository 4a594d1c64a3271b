using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Stoa.Assistants.Documents.Vectors;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents.Retrieval;

/// <summary>
/// Finds what a user's documents say about a question: by its words and by its vector, the two lists joined by their ranks. Of one document
/// two pieces come before others have had their turn. Documents of others, and what was deleted, are not looked at.
/// </summary>
internal sealed partial class DocumentSearch(
    AssistantsDb db, WordSearch words, VectorSearch nearest, DocumentVectors vectors, ILogger<DocumentSearch> logger)
{
    public const int MostResults = 50;

    private const int Candidates = 200;

    private const int FirstOfEach = 2, OfferedForEach = 8;

    // Of reciprocal rank fusion: how little it matters to be the first instead of the third.
    private const double Flatness = 60;

    // Who names a thing wants that thing, and not its like.
    private const double WeightOfVectors = 0.75;

    /// <summary>For a job; whoever waits for its end waits for no model's turn here.</summary>
    public Task<IReadOnlyList<Citation>> FindAsync(
        string userId, Guid organizationId, string question, int topK, JobContext context, CancellationToken ct) =>
        FindAsync(userId, question, topK, () => vectors.OfAsync(organizationId, [question], context, goesOn: true, ct), ct);

    public Task<IReadOnlyList<Citation>> FindAsync(
        string userId, Guid organizationId, string question, int topK, string requestId, CancellationToken ct) =>
        FindAsync(userId, question, topK, () => vectors.OfAsync(organizationId, [question], requestId, ct), ct);

    private async Task<IReadOnlyList<Citation>> FindAsync(
        string userId, string question, int topK, Func<Task<IReadOnlyList<TextVector>>> ask, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(question) || topK < 1 || !await HasAnyAsync(userId, ct))
        {
            return [];
        }
        var found = await Task.WhenAll(words.FindAsync(userId, question, Candidates, ct), NearAsync());
        var scores = Fuse((found[0], 1), (found[1], WeightOfVectors));
        var most = Math.Min(topK, MostResults);
        return Pick(await ReadAsync(userId, scores, most * OfferedForEach, ct), most);

        async Task<List<int>> NearAsync() =>
            await VectorOfAsync(ask) is { } vector ? await nearest.FindAsync(userId, vector, Candidates, ct) : [];
    }

    /// <summary>The best; of one document more than two only where nothing else is left.</summary>
    internal static IReadOnlyList<Citation> Pick(IEnumerable<Citation> found, int most)
    {
        var ranked = found.OrderByDescending(citation => citation.Score)
            .ThenBy(citation => citation.DocumentId).ThenBy(citation => citation.Index).ToList();
        var places = ranked.GroupBy(citation => citation.DocumentId)
            .SelectMany(own => own.Index()).ToDictionary(one => one.Item, one => one.Index);
        var chosen = ranked.OrderBy(citation => places[citation] >= FirstOfEach).Take(most).ToHashSet();
        return ranked.FindAll(chosen.Contains);
    }

    /// <summary>Reciprocal rank fusion: from 0 to 1, which is being the first in all lists.</summary>
    internal static Dictionary<int, double> Fuse(params ReadOnlySpan<(List<int> Ids, double Weight)> lists)
    {
        var scores = new Dictionary<int, double>();
        var whole = 0.0;
        foreach (var (ids, weight) in lists)
        {
            whole += weight;
            for (var rank = 0; rank < ids.Count; rank++)
            {
                scores[ids[rank]] = scores.GetValueOrDefault(ids[rank]) + (weight * (Flatness + 1) / (Flatness + 1 + rank));
            }
        }
        return scores.ToDictionary(pair => pair.Key, pair => pair.Value / whole);
    }

    /// <summary>Whoever has no documents costs no question to a model.</summary>
    private async Task<bool> HasAnyAsync(string userId, CancellationToken ct) => (await db.Database.SqlQuery<bool>($"""
        select exists (select from assistants.document_chunks where user_id = {userId} and deleted_at is null) as "Value"
        """).ToListAsync(ct))[0];

    private async Task<IEnumerable<Citation>> ReadAsync(string userId, Dictionary<int, double> scores, int most, CancellationToken ct)
    {
        int[] best = [.. scores.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).Take(most).Select(pair => pair.Key)];
        var found = await db.Database.SqlQuery<Found>($"""
            select c.id, d.id as document_id, d.name as source, d.title, c.index, c.text
            from assistants.document_chunks c join assistants.documents d on d.id = c.document_id
            where c.id = any({best}) and c.user_id = {userId} and c.deleted_at is null and d.deleted_at is null
            """).ToListAsync(ct);
        return found.Select(chunk => new Citation(chunk.DocumentId, chunk.Source, chunk.Title, chunk.Index, chunk.Text, scores[chunk.Id]));
    }

    /// <summary>Null where no model answers: words alone find more than nothing.</summary>
    private async Task<TextVector?> VectorOfAsync(Func<Task<IReadOnlyList<TextVector>>> ask)
    {
        try
        {
            return await ask() is [var vector] ? vector : null;
        }
        catch (Failure failure)
        {
            LogNoVector(failure.Code);
            return null;
        }
    }

    [LoggerMessage(LogLevel.Warning, "A question was looked for by its words alone, since the model made no vector of it: {Code}")]
    private partial void LogNoVector(string code);

    private sealed record Found(int Id, int DocumentId, string Source, string Title, int Index, string Text);
}
