using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>
/// The <c>annotations</c> of a message: pages that were searched, and files that were read. Those for clients have what OpenAI's APIs
/// document and nothing else; chat completions know pages alone.
/// </summary>
internal static class OpenAiAnnotations
{
    private const string FileCitation = "file_citation";

    public static IReadOnlyList<Citation> Read(JsonElement annotations) =>
        annotations.ValueKind != JsonValueKind.Array || annotations.GetArrayLength() == 0 ? []
        : [.. annotations.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.Object).Select(ReadOne)];

    /// <summary>Of a chat completion: counted over the whole text.</summary>
    public static void WriteChat(Utf8JsonWriter json, IReadOnlyList<Part> parts)
    {
        json.WriteStartArray("annotations"u8);
        foreach (var words in Citation.Placed(parts).OfType<JsonObject>().Where(words => Citation.PageOf(words) is not null))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "url_citation"u8);
            json.WriteStartObject("url_citation"u8);
            WritePage(json, words, parts.OfType<Part.Text>().Sum(text => text.Value.Length));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>Of a text of the Responses API, each as <see cref="WriteOne"/> writes it.</summary>
    public static IEnumerable<JsonObject> Of(Part.Text text) =>
        text.Citations.Count == 0 ? [] : Citation.Placed([text]).OfType<JsonObject>().Where(IsKnown);

    public static void WriteOne(Utf8JsonWriter json, JsonObject words, int length)
    {
        json.WriteStartObject();
        if (Citation.PageOf(words) is not null)
        {
            json.WriteString("type"u8, "url_citation"u8);
            WritePage(json, words, length);
        }
        else
        {
            json.WriteString("type"u8, FileCitation);
            json.WriteString("file_id"u8, Citation.TextOf(words, "file_id") ?? "");
            json.WriteString("filename"u8, Citation.TextOf(words, "filename") ?? "");
            json.WriteNumber("index"u8,
                words["index"] is JsonValue place && place.TryGetValue<int>(out var index) ? index : Citation.PassageOf(words, length).End);
        }
        json.WriteEndObject();
    }

    private static bool IsKnown(JsonObject words) => Citation.TextOf(words, "type") == FileCitation || Citation.PageOf(words) is not null;

    private static void WritePage(Utf8JsonWriter json, JsonObject words, int length)
    {
        var url = Citation.PageOf(words);
        var (start, end) = Citation.PassageOf(words, length);
        json.WriteNumber("start_index"u8, start);
        json.WriteNumber("end_index"u8, end);
        json.WriteString("url"u8, url);
        json.WriteString("title"u8, Citation.TextOf(words, "title") ?? url);
    }

    private static Citation ReadOne(JsonElement annotation)
    {
        var type = annotation.TextOf("type");
        if (type is null || annotation.Member(type) is not { ValueKind: JsonValueKind.Object } inner)
        {
            return Citation.Of(annotation);
        }
        var words = new JsonObject { ["type"] = type };
        foreach (var member in inner.EnumerateObject())
        {
            // The whole text of a page or a file is no citation of it; OpenRouter sends it along.
            if (member.Name is not ("content" or "type"))
            {
                words[member.Name] = JsonNode.Parse(member.Value.GetRawText());
            }
        }
        return new(words);
    }
}
