using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>The <c>annotations</c> of a message: pages that were searched, and files that were read.</summary>
internal static class OpenAiAnnotations
{
    public static IReadOnlyList<Citation> Read(JsonElement annotations) => annotations.ValueKind != JsonValueKind.Array || annotations.GetArrayLength() == 0 ? []
        : [.. annotations.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.Object).Select(ReadOne)];

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
