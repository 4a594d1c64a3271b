using System.Buffers.Text;
using System.Text.Json;
using System.Text.Unicode;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects;

/// <summary>
/// The one door for JSON from outside. What comes through is well-formed to the last escape, so that reading a string can never
/// throw later. Of a repeated key the last one counts, as in <c>JSON.parse</c>.
/// </summary>
internal static class JsonBody
{
    private const int MaxDepth = 128;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth };

    public static JsonDocument Open(ReadOnlyMemory<byte> body)
    {
        if (!Utf8.IsValid(body.Span))
        {
            throw Failure.Invalid("The body is not valid UTF-8.", code: "invalid_json");
        }

        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body, Options);
        }
        catch (JsonException exception)
        {
            throw Failure.Invalid(
                $"The body is not valid JSON (line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}).",
                code: "invalid_json");
        }
        if (HasLoneSurrogate(body.Span))
        {
            document.Dispose();
            throw Failure.Invalid("The body holds half of a surrogate pair, which is no character.", code: "invalid_json");
        }
        return document;
    }

    /// <summary>The same for what a provider sent: what cannot be read is the provider's failure, not the client's.</summary>
    public static JsonDocument OpenAnswer(ReadOnlyMemory<byte> body)
    {
        JsonDocument document;
        try
        {
            document = Open(body);
        }
        catch (Failure failure)
        {
            throw ProviderRefusals.Unreadable(failure.Message.TrimEnd('.'));
        }
        if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            return document;
        }
        document.Dispose();
        throw ProviderRefusals.Unreadable("it is not a JSON object");
    }

    /// <summary>The kind of a whole JSON text that can be written out again as it stands; else Undefined.</summary>
    public static JsonValueKind KindOf(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            reader.Read();
            var first = reader.TokenType;
            reader.Skip();
            if (reader.Read() || !Utf8.IsValid(json) || HasLoneSurrogate(json))
            {
                return JsonValueKind.Undefined;
            }
            return first switch
            {
                JsonTokenType.StartObject => JsonValueKind.Object,
                JsonTokenType.StartArray => JsonValueKind.Array,
                JsonTokenType.String => JsonValueKind.String,
                JsonTokenType.Number => JsonValueKind.Number,
                JsonTokenType.True => JsonValueKind.True,
                JsonTokenType.False => JsonValueKind.False,
                JsonTokenType.Null => JsonValueKind.Null,
                _ => JsonValueKind.Undefined,
            };
        }
        catch (JsonException)
        {
            return JsonValueKind.Undefined;
        }
    }

    // In valid JSON a backslash stands only inside a string, so a flat scan sees every escape.
    private static bool HasLoneSurrogate(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf(@"\ud"u8) < 0 && json.IndexOf(@"\uD"u8) < 0)
        {
            return false;
        }
        var open = false;
        while (true)
        {
            var next = json.IndexOf((byte)'\\');
            if (next < 0)
            {
                return open;
            }
            if (open && next > 0)
            {
                return true;
            }
            json = json[next..];
            var unit = json[1] == 'u' && Utf8Parser.TryParse(json[2..6], out ushort value, out _, 'x') ? (char)value : ' ';
            if (open != char.IsLowSurrogate(unit))
            {
                return true;
            }
            open = char.IsHighSurrogate(unit);
            json = json[(json[1] == 'u' ? 6 : 2)..];
        }
    }
}
