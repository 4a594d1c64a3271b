using System.Text.Json;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Wires.OpenAi;

/// <summary>
/// Thoughts on OpenAI's chat wire, which has no place of its own for them: <c>reasoning_content</c> for reading, and
/// <c>reasoning_details</c> that a client may send back so that signatures survive.
/// </summary>
internal static class OpenAiReasoning
{
    private const string AnthropicFormat = "anthropic-claude-v1";

    /// <summary>Lenient about shape: frameworks echo these fields in many ways, and no thought is worth refusing a request.</summary>
    public static void Read(Node message, List<Part> parts)
    {
        if (message.Get("reasoning_details") is { IsArray: true } details)
        {
            foreach (var detail in details.Items().Where(item => item.IsObject))
            {
                var origin = TextOf(detail, "format")?.StartsWith("anthropic", StringComparison.Ordinal) == true ? Wire.Anthropic : Wire.OpenAi;
                if (TextOf(detail, "data") is { } data)
                {
                    parts.Add(new Part.Thinking("", null, data, origin));
                }
                else if ((TextOf(detail, "text") ?? TextOf(detail, "summary")) is { } text)
                {
                    parts.Add(new Part.Thinking(text, TextOf(detail, "signature"), null, origin));
                }
            }
        }
        else if ((TextOf(message, "reasoning_content") ?? TextOf(message, "reasoning")) is { Length: > 0 } thoughts)
        {
            parts.Add(new Part.Thinking(thoughts, null, null, Wire.OpenAi));
        }
    }

    public static void Write(Utf8JsonWriter json, IReadOnlyList<Part> parts)
    {
        var thoughts = parts.OfType<Part.Thinking>().ToList();
        if (thoughts.Count == 0)
        {
            return;
        }
        json.WriteString("reasoning_content", string.Concat(thoughts.Select(thought => thought.Value)));
        json.WriteStartArray("reasoning_details");
        for (var index = 0; index < thoughts.Count; index++)
        {
            WriteDetail(json, thoughts[index], index);
        }
        json.WriteEndArray();
    }

    public static void WriteDetail(Utf8JsonWriter json, Part.Thinking thought, int index)
    {
        json.WriteStartObject();
        if (thought.Redacted is { } data)
        {
            json.WriteString("type", "reasoning.encrypted");
            json.WriteString("data", data);
        }
        else
        {
            json.WriteString("type", "reasoning.text");
            json.WriteString("text", thought.Value);
            json.WriteIfAny("signature", thought.Signature);
        }
        json.WriteString("format", thought.Origin == Wire.Anthropic ? AnthropicFormat : "unknown");
        json.WriteNumber("index", index);
        json.WriteEndObject();
    }

    private static string? TextOf(Node holder, string name) => holder.Get(name) is { IsText: true } text ? text.Text() : null;
}
