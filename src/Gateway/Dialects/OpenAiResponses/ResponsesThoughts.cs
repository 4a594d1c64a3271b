using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>
/// Reasoning items. Clients send <c>encrypted_content</c> back unread, so it also carries what other providers want to see again: their
/// name and the kind of proof in front, so that it finds back to them and goes to nobody else.
/// </summary>
internal static class ResponsesThoughts
{
    private static readonly (string Mark, Dialect Origin)[] Others =
        [("anthropic/", Dialect.Anthropic), ("gemini/", Dialect.Gemini), ("openai-chat/", Dialect.OpenAi)];

    public static Part.Thinking Read(Node item)
    {
        var texts = (item.Get("summary")?.Items() ?? [])
            .Concat(item.Get("content")?.Items() ?? []).Select(part => part.Get("text")?.Text());
        return Of(string.Concat(texts), item.Get("id")?.Text(), item.Get("encrypted_content")?.Text());
    }

    public static Part.Thinking Of(string text, string? id, string? sealedThoughts)
    {
        foreach (var (mark, origin) in Others)
        {
            if (sealedThoughts?.StartsWith(mark, StringComparison.Ordinal) == true)
            {
                var proof = sealedThoughts[mark.Length..];
                return proof.StartsWith("redacted/", StringComparison.Ordinal)
                    ? new(text, null, proof["redacted/".Length..], origin)
                    : new(text, proof.Length > 0 ? proof : null, null, origin);
            }
        }
        return new(text, id, sealedThoughts, Dialect.OpenAiResponses);
    }

    public static bool IsOfAnother(string sealedThoughts) =>
        Array.Exists(Others, other => sealedThoughts.StartsWith(other.Mark, StringComparison.Ordinal));

    /// <summary>What the client has to send back; null when there is nothing.</summary>
    public static string? Seal(Part.Thinking thinking)
    {
        if (thinking.Origin == Dialect.OpenAiResponses)
        {
            return thinking.Redacted;
        }
        var mark = Array.Find(Others, other => other.Origin == thinking.Origin).Mark;
        return thinking switch
        {
            { Redacted: { } data } => $"{mark}redacted/{data}",
            { Signature: { } signature } => mark + signature,
            _ => null,
        };
    }

    public static void Write(Utf8JsonWriter json, Part.Thinking thinking, string id)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteString("type"u8, "reasoning"u8);
        json.WriteStartArray("summary"u8);
        if (thinking.Value.Length > 0)
        {
            WriteSummary(json, thinking.Value);
        }
        json.WriteEndArray();
        json.WriteIfAny("encrypted_content", Seal(thinking));
        json.WriteEndObject();
    }

    public static void WriteSummary(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "summary_text"u8);
        json.WriteString("text"u8, text);
        json.WriteEndObject();
    }
}
