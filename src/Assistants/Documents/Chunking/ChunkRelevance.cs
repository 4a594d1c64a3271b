using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Documents.Contents;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents.Chunking;

/// <summary>
/// Which chunks of a website are worth keeping: by a rule of thumb, and where the settings say so by a model that may only say yes or no.
/// </summary>
internal sealed partial class ChunkRelevance(Mind mind, IOptions<DocumentsOptions> options)
{
    private const int LeastWords = 3;

    private static readonly AnswerForm<bool> YesOrNo = new(text => text.Trim().Trim('.', '"').ToLowerInvariant() switch
    {
        "yes" => true,
        "no" => false,
        _ => throw new UnusableAnswerException("it is neither yes nor no"),
    });

    /// <summary>Whether a model says so.</summary>
    public bool Asks => options.Value.AskRelevance;

    /// <param name="known">Hashes of chunks that are kept already: nobody is asked about them again.</param>
    public async Task<IReadOnlyList<string>> KeepAsync(
        DocumentKey document, IReadOnlyList<string> chunks, IEnumerable<byte[]> known, JobContext? context, CancellationToken ct)
    {
        if (document.Type != DocumentType.Webpage || context is null)
        {
            return chunks;
        }
        var worthy = chunks.Where(chunk => Word().Count(chunk) >= LeastWords).ToList();
        if (!Asks)
        {
            return worthy;
        }
        var hashes = known.Select(Convert.ToHexString).ToHashSet(StringComparer.Ordinal);
        var kept = new List<string>();
        var hasAsked = false;
        foreach (var chunk in worthy)
        {
            var hash = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(chunk)));
            if (hashes.Contains(hash))
            {
                kept.Add(chunk);
                continue;
            }
            // A page is asked about as a whole: what was said of its first chunks is kept nowhere.
            if (await AskAsync(document, chunk, hasAsked, context, ct))
            {
                kept.Add(chunk);
            }
            hasAsked = true;
        }
        return kept;
    }

    private Task<bool> AskAsync(DocumentKey document, string chunk, bool goesOn, JobContext context, CancellationToken ct)
    {
        var material = new Material().Add("website", document.Name).Add("extract", chunk).ToString();
        var question = new MindQuestion(document.OrganizationId, "website_relevance", CortexPrompts.Of("website-relevance.1"), material)
        {
            MaxOutput = 5, GoesOn = goesOn,
        };
        return mind.AskAsync(question, YesOrNo, context, ct);
    }

    [GeneratedRegex(@"\p{L}{2,}", RegexOptions.None, 1000)]
    private static partial Regex Word();
}
