using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stoa.Learning.Tutor;

/// <summary>
/// Reads a JSON object while it is still being written: its members that are whole, and of a text that has begun as much as is there. What
/// stands around the object (a fence of Markdown) is passed over.
/// </summary>
internal static class PartialJson
{
    private const int EscapeLength = 6;

    /// <returns>Null while there is no object, and when what came is no JSON.</returns>
    /// <param name="isWhole">The object has ended.</param>
    /// <param name="open">The member whose text has only begun.</param>
    public static JsonObject? Read(ReadOnlySpan<byte> utf8, out bool isWhole, out string? open)
    {
        (isWhole, open) = (false, null);
        var start = utf8.IndexOf((byte)'{');
        if (start < 0)
        {
            return null;
        }
        try
        {
            return ReadObject(utf8[start..], out isWhole, out open);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static JsonObject ReadObject(ReadOnlySpan<byte> utf8, out bool isWhole, out string? open)
    {
        (isWhole, open) = (false, null);
        var made = new JsonObject();
        var reader = new Utf8JsonReader(utf8, isFinalBlock: false, default);
        reader.Read();
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.EndObject)
            {
                isWhole = true;
                return made;
            }
            var name = reader.GetString()!;
            var behindName = (int)reader.BytesConsumed;
            if (!reader.Read())
            {
                if (BeginningOf(utf8[behindName..]) is { } text)
                {
                    (made[name], open) = (text, name);
                }
                return made;
            }
            var from = (int)reader.TokenStartIndex;
            if (!reader.TrySkip())
            {
                return made;
            }
            made[name] = JsonNode.Parse(utf8[from..(int)reader.BytesConsumed]);
        }
        return made;
    }

    /// <summary>
    /// The same for what is nested: everything that is whole, in objects and lists that may still be open. A member that is there has
    /// ended, so no half of a name is ever taken for one.
    /// </summary>
    public static JsonObject? ReadNested(ReadOnlySpan<byte> utf8)
    {
        var start = utf8.IndexOf((byte)'{');
        try
        {
            return start < 0 ? null : ReadTree(utf8[start..]);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static JsonObject? ReadTree(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, isFinalBlock: false, default);
        var open = new Stack<JsonNode>();
        JsonNode? root = null;
        var name = "";
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    name = reader.GetString()!;
                    continue;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    open.Pop();
                    if (open.Count == 0)
                    {
                        return root as JsonObject;
                    }
                    continue;
                default:
                    break;
            }
            JsonNode? node = reader.TokenType switch
            {
                JsonTokenType.StartObject => new JsonObject(),
                JsonTokenType.StartArray => new JsonArray(),
                JsonTokenType.String => reader.GetString(),
                JsonTokenType.Number => reader.GetDouble(),
                JsonTokenType.True => true,
                JsonTokenType.False => false,
                _ => null,
            };
            switch (open.TryPeek(out var within) ? within : null)
            {
                case JsonObject members:
                    members[name] = node;
                    break;
                case JsonArray items:
                    items.Add(node);
                    break;
                default:
                    root = node;
                    break;
            }
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                open.Push(node!);
            }
        }
        return root as JsonObject;
    }

    private static string? BeginningOf(ReadOnlySpan<byte> value)
    {
        value = value.TrimStart(" \t\r\n"u8);
        if (value is not [(byte)'"', ..])
        {
            return null;
        }
        var text = value[1..];
        return JsonSerializer.Deserialize(
            Encoding.UTF8.GetBytes($"\"{Encoding.UTF8.GetString(text[..WholeLength(text)])}\""), TutorJson.Default.String);
    }

    /// <summary>How much of a text can be read: half an escape at its end cannot, nor half of a pair of them.</summary>
    private static int WholeLength(ReadOnlySpan<byte> text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '\\')
            {
                continue;
            }
            var length = at + 1 < text.Length && text[at + 1] == 'u' ? EscapeLength : 2;
            if (IsHighSurrogate(text[at..]))
            {
                length += EscapeLength;
            }
            if (at + length > text.Length)
            {
                return at;
            }
            at += length - 1;
        }
        return text.Length;
    }

    // \uD800 to \uDBFF.
    private static bool IsHighSurrogate(ReadOnlySpan<byte> escape) =>
        escape.Length >= 4 && escape[1] == 'u' && (escape[2] | 0x20) == 'd' && (escape[3] | 0x20) is '8' or '9' or 'a' or 'b';
}
