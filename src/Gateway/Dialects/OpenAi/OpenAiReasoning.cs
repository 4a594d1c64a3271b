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

    /// <summary>The thoughts of an assistant's message, as its provider wants to read them again.</summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<Part> parts, ThoughtForm form = ThoughtForm.WithDetails)
    {
        var thoughts = parts.OfType<Part.Thinking>().ToList();
        if (thoughts.Count == 0 || form is ThoughtForm.None or ThoughtForm.Chunks
            || (form == ThoughtForm.BesideCalls && !parts.Any(part => part is Part.ToolCall)))
        {
            return;
        }
        var isPlain = form is ThoughtForm.Plain or ThoughtForm.PlainWithDetails;
        json.WriteString(isPlain ? "reasoning" : "reasoning_content", string.Concat(thoughts.Select(thought => thought.Value)));
        if (form is ThoughtForm.WithDetails or ThoughtForm.PlainWithDetails)
        {
            WriteDetails(json, thoughts);
        }
    }

    /// <summary>The content as chunks with the thoughts first. False when there are none: then it is a text like any other.</summary>
    public static bool WriteChunks(Utf8JsonWriter json, List<Part> parts, string text)
    {
        var thoughts = string.Concat(parts.OfType<Part.Thinking>().Select(thought => thought.Value));
        if (thoughts.Length == 0)
        {
            return false;
        }
        json.WriteStartArray("content");
        json.WriteStartObject();
        json.WriteString("type", "thinking");
        json.WriteStartArray("thinking");
        WriteChunk(json, thoughts);
        json.WriteEndArray();
        json.WriteBoolean("closed", true);
        json.WriteEndObject();
        if (text.Length > 0)
        {
            WriteChunk(json, text);
        }
        json.WriteEndArray();
        return true;
    }

    private static void WriteChunk(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject();
        json.WriteString("type", "text");
        json.WriteString("text", text);
        json.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter json, List<Part.Thinking> thoughts)
    {
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
