using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>
/// Thoughts on OpenAI's chat dialect, which has no place of its own for them: <c>reasoning_content</c> for reading, and
/// <c>reasoning_details</c> that a client may send back so that signatures survive.
/// </summary>
internal static class OpenAiReasoning
{
    private const string AnthropicFormat = "anthropic-claude-v1";
    private const string GeminiFormat = "google-gemini-v1";
    private const string ResponsesFormat = "openai-responses-v1";

    /// <summary>Lenient about shape: frameworks echo these fields in many ways, and no thought is worth refusing a request.</summary>
    public static void Read(Node message, List<Part> parts)
    {
        if (message.Get("reasoning_details") is { IsArray: true } details)
        {
            foreach (var detail in details.Items().Where(item => item.IsObject))
            {
                var origin = OriginOf(TextOf(detail, "format") ?? "");
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
            parts.Add(new Part.Thinking(thoughts, null, null, Dialect.OpenAi));
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
        json.WriteString("format", thought.Origin switch
        {
            Dialect.Anthropic => AnthropicFormat,
            Dialect.Gemini => GeminiFormat,
            Dialect.OpenAiResponses => ResponsesFormat,
            Dialect.OpenAi => "unknown",
        });
        json.WriteNumber("index", index);
        json.WriteEndObject();
    }

    /// <summary>A call's signature where Google's own OpenAI address has it, so that clients made for that one carry it too.</summary>
    public static void WriteSignature(Utf8JsonWriter json, string? signature)
    {
        if (signature is not null)
        {
            json.WriteStartObject("extra_content"u8);
            json.WriteStartObject("google"u8);
            json.WriteString("thought_signature"u8, signature);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    public static string? ReadSignature(Node call) =>
        call.Get("extra_content") is { IsObject: true } extra && extra.Get("google") is { IsObject: true } google
            ? TextOf(google, "thought_signature")
            : null;

    private static Dialect OriginOf(string format) => format switch
    {
        _ when format.StartsWith("anthropic", StringComparison.Ordinal) => Dialect.Anthropic,
        _ when format.StartsWith("google", StringComparison.Ordinal) => Dialect.Gemini,
        ResponsesFormat => Dialect.OpenAiResponses,
        _ => Dialect.OpenAi,
    };

    private static string? TextOf(Node holder, string name) => holder.Get(name) is { IsText: true } text ? text.Text() : null;
}
