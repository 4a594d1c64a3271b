using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary>What a candidate says of its sources: pages and files that its words rest on, and what it recites.</summary>
internal static class GeminiCitations
{
    /// <param name="grounding"><c>groundingMetadata</c>: chunks, and which passages each supports.</param>
    /// <param name="recited"><c>citationMetadata</c>.</param>
    public static IEnumerable<Citation> Read(JsonElement grounding, JsonElement recited)
    {
        var sources = grounding.ItemsOf("groundingChunks").Select(SourceOf).ToList();
        var isUsed = new bool[sources.Count];
        foreach (var support in grounding.ItemsOf("groundingSupports"))
        {
            var segment = support.Member("segment");
            var from = segment.Member("startIndex") is { ValueKind: JsonValueKind.Number } start
                && start.TryGetInt32(out var bytes) ? bytes : 0;
            foreach (var index in support.ItemsOf("groundingChunkIndices"))
            {
                if (index.ValueKind == JsonValueKind.Number && index.TryGetInt32(out var number)
                    && number >= 0 && number < sources.Count && sources[number] is { } source)
                {
                    isUsed[number] = true;
                    yield return new((JsonObject)source.DeepClone()) { Quote = segment.TextOf("text"), QuoteFrom = from };
                }
            }
        }
        // Found, and not said of which passage.
        foreach (var (number, source) in sources.Index())
        {
            if (source is not null && !isUsed[number])
            {
                yield return new(source);
            }
        }
        // The names differ between the versions of the API. Their places are bytes, which are no letters.
        foreach (var source in recited.ItemsOf("citationSources").Concat(recited.ItemsOf("citations")))
        {
            if (source.TextOf("uri") is { } uri)
            {
                yield return new(new() { ["type"] = "url_citation", ["url"] = uri, ["title"] = source.TextOf("title") });
            }
        }
    }

    private static JsonObject? SourceOf(JsonElement chunk)
    {
        if (chunk.Member("web") is { ValueKind: JsonValueKind.Object } page && page.TextOf("uri") is { } url)
        {
            return new() { ["type"] = "url_citation", ["url"] = url, ["title"] = page.TextOf("title") };
        }
        return chunk.Member("retrievedContext") is { ValueKind: JsonValueKind.Object } file
            ? new() { ["type"] = "file_citation", ["file_id"] = file.TextOf("uri"), ["filename"] = file.TextOf("title") }
            : null;
    }
}
