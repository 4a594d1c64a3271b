using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Support;

/// <summary>An answer made concrete for one request, still without a dialect.</summary>
internal sealed record ScriptedReply(int Number, string? Text, IReadOnlyList<ScriptedCall> Calls, ScriptedUsage Usage)
{
    internal static ScriptedReply For(JsonObject body, ScriptedAnswer answer, int number)
    {
        var calls = answer.Calls.Count > 0 ? answer.Calls : answer.Words is null ? DemandedCalls(body) : [];
        var named = calls.Select((call, index) => call.Id is null ? call with { Id = $"call_{number}_{index}" } : call).ToList();
        var text = answer.Words ?? (named.Count > 0 ? null : DefaultText(body));
        var usage = answer.Usage ?? ScriptedUsage.For(body) with { Output = OutputWords(text, named) };
        return new(number, text, named, usage);
    }

    internal static string DefaultText(JsonObject body)
    {
        if (ScriptedSchema.DemandedBy(body) is { } schema)
        {
            return ScriptedSchema.Instance(schema).ToJsonString(ScriptedJson.Format);
        }
        return $"You said: {ScriptedText.All(body).LastOrDefault() ?? "nothing"}";
    }

    /// <summary>The text in the pieces a stream sends: words with the space before them.</summary>
    internal IEnumerable<string> Pieces()
    {
        var start = 0;
        for (var at = 1; at < Text?.Length; at++)
        {
            if (Text[at] == ' ')
            {
                yield return Text[start..at];
                start = at;
            }
        }
        if (!string.IsNullOrEmpty(Text))
        {
            yield return Text[start..];
        }
    }

    private static long OutputWords(string? text, List<ScriptedCall> calls) =>
        ScriptedUsage.CountWords(text ?? "") + calls.Sum(call => 1 + ScriptedUsage.CountWords(call.Arguments));

    private static List<ScriptedCall> DemandedCalls(JsonObject body)
    {
        if (ScriptedSchema.DemandedTool(body) is not { } tool)
        {
            return [];
        }
        var function = tool["function"] ?? tool;
        var schema = function["parameters"] ?? function["input_schema"]
            ?? function["parametersJsonSchema"] ?? new JsonObject { ["type"] = "object" };
        return [new((string)function["name"]!, ScriptedSchema.Instance(schema).ToJsonString(ScriptedJson.Format))];
    }
}

internal static class ScriptedJson
{
    /// <summary>Characters go out as UTF-8, not as escapes: a split inside one must be survived.</summary>
    internal static readonly JsonSerializerOptions Format = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}

/// <summary>What a request says, in the order in which it says it, in either dialect.</summary>
internal static class ScriptedText
{
    internal static IEnumerable<string> All(JsonObject body) =>
        In(body["system"])
            .Concat((body["messages"] as JsonArray ?? []).SelectMany(message => In(message?["content"])))
            .Concat(In(body["instructions"]))
            .Concat(In(body["input"]))
            .Concat(In(body["systemInstruction"]?["parts"]))
            .Concat(GeminiParts(body).SelectMany(part => In(part["text"] ?? ResultOf(part))));

    internal static long Images(JsonObject body) => (body["messages"] as JsonArray ?? [])
        .SelectMany(message => message?["content"] as JsonArray ?? [])
        .LongCount(part => (string?)part?["type"] is "image" or "image_url")
        + (body["input"] as JsonArray ?? []).SelectMany(item => item?["content"] as JsonArray ?? [])
        .LongCount(part => (string?)part?["type"] == "input_image")
        + GeminiParts(body).LongCount(part => part["inlineData"] is not null);

    private static IEnumerable<JsonNode> GeminiParts(JsonObject body) =>
        (body["contents"] as JsonArray ?? []).SelectMany(content => content!["parts"]!.AsArray()).Select(part => part!);

    private static JsonValue? ResultOf(JsonNode part) => part["functionResponse"]?["response"] switch
    {
        null => null,
        JsonObject { Count: 1 } wrapped when wrapped["result"] is JsonValue value => value,
        var result => JsonValue.Create(result.ToJsonString(ScriptedJson.Format)),
    };

    private static IEnumerable<string> In(JsonNode? content) => content switch
    {
        JsonValue value when value.TryGetValue<string>(out var text) => [text],
        JsonArray parts => parts.SelectMany(part => In(part?["text"] ?? part?["content"] ?? part?["output"])),
        _ => [],
    };
}
