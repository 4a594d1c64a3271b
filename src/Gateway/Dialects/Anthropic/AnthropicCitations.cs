using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>
/// The <c>citations</c> of a block of text: each is for all of the block. Clients are shown pages, as Anthropic's own search shows them;
/// for files it wants places that only it knows.
/// </summary>
internal static class AnthropicCitations
{
    private static readonly string[] PlacesInFiles =
        ["start_char_index", "end_char_index", "start_page_number", "end_page_number", "start_block_index", "end_block_index"];

    /// <summary>Those of a whole block, each page once.</summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<Citation> citations)
    {
        var pages = citations.Where(citation => Citation.PageOf(citation.Words) is not null)
            .DistinctBy(citation => Citation.PageOf(citation.Words), StringComparer.Ordinal).ToList();
        if (pages.Count == 0)
        {
            return;
        }
        json.WriteStartArray("citations"u8);
        pages.ForEach(page => WriteOne(json, page));
        json.WriteEndArray();
    }

    public static void WriteOne(Utf8JsonWriter json, Citation page)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "web_search_result_location"u8);
        json.WriteString("url"u8, Citation.PageOf(page.Words));
        json.WriteString("title"u8, Citation.TextOf(page.Words, "title"));
        json.WriteString("cited_text"u8, Citation.TextOf(page.Words, "cited_text") ?? "");
        json.WriteString("encrypted_index"u8, ""u8);
        json.WriteEndObject();
    }

    public static IReadOnlyList<Citation> Read(JsonElement citations) =>
        citations.ValueKind != JsonValueKind.Array || citations.GetArrayLength() == 0 ? []
        : [.. citations.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.Object).Select(ReadOne)];

    public static Citation ReadOne(JsonElement citation)
    {
        var words = new JsonObject();
        if ((citation.TextOf("url") ?? citation.TextOf("source")) is { } url)
        {
            words["type"] = "url_citation";
            words["url"] = url;
            words["title"] = citation.TextOf("title");
        }
        else
        {
            words["type"] = "file_citation";
            words["file_id"] = citation.TextOf("file_id");
            words["filename"] = citation.TextOf("document_title");
            foreach (var place in PlacesInFiles)
            {
                if (citation.Member(place) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var value))
                {
                    words[place] = value;
                }
            }
        }
        words["cited_text"] = citation.TextOf("cited_text");
        return new(words) { IsWhole = true };
    }
}
