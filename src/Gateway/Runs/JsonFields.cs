using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects;

namespace Stoa.Gateway.Runs;

/// <summary>Reads the loose documents of GTWY's wire: what is missing, or of a strange type, is simply not there.</summary>
internal static class JsonFields
{
    // What is kept goes into documents of ours, of which 64 levels and numbers of a usual size can be read again.
    private const int MaxDepth = 48;
    private const int MaxDigits = 128;
    private const double MaxNumber = 1e100;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    // For models, logs and JSON clients, never for a page.
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string? Text(this JsonObject? from, string name) => from?[name].AsText();

    /// <summary>The same without an empty text.</summary>
    public static string? Name(this JsonObject? from, string name) => from.Text(name) is { Length: > 0 } text ? text : null;

    public static bool? Flag(this JsonObject? from, string name) =>
        from?[name] is JsonValue value && value.TryGetValue<bool>(out var flag) ? flag : null;

    public static bool Is(this JsonObject? from, string name) => from.Flag(name) == true;

    public static JsonObject? Object(this JsonObject? from, string name) => from?[name] as JsonObject;

    public static JsonArray? List(this JsonObject? from, string name) => from?[name] as JsonArray;

    public static IEnumerable<string> Texts(this JsonArray? list) =>
        list is null ? [] : list.Select(item => item.AsText()).OfType<string>();

    public static IEnumerable<JsonObject> Objects(this JsonArray? list) => list is null ? [] : list.OfType<JsonObject>();

    public static string? AsText(this JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>A finite number, also where it was written as a text.</summary>
    public static double? AsNumber(this JsonNode? node) => node is JsonValue value
        && (value.TryGetValue<double>(out var number)
            || double.TryParse(
                value.GetValueKind() == JsonValueKind.Number ? value.ToJsonString() : value.AsText(),
                NumberStyles.Float, CultureInfo.InvariantCulture, out number))
        && double.IsFinite(number) ? number
        : null;

    /// <summary>A text as it is, anything else as JSON.</summary>
    public static string AsWords(this JsonNode? node) => node.AsText() ?? node.Compact();

    public static string Compact(this JsonNode? node) => node is null ? "null" : node.ToJsonString(Relaxed);

    /// <summary>
    /// The value of a JSON text that can be passed on and kept as it stands; false for anything else. A whole <c>null</c> is a value.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> json, out JsonNode? node)
    {
        node = null;
        if (JsonBody.KindOf(json) == JsonValueKind.Undefined)
        {
            return false;
        }
        try
        {
            if (!HasUsualNumbers(json))
            {
                return false;
            }
            node = JsonNode.Parse(json, documentOptions: Strict);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    public static bool TryParse(string json, out JsonNode? node) => TryParse(System.Text.Encoding.UTF8.GetBytes(json), out node);

    private static bool HasUsualNumbers(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number && (reader.ValueSpan.Length > MaxDigits || !reader.TryGetDouble(out var number)
                || Math.Abs(number) > MaxNumber || (number == 0 && reader.ValueSpan.ContainsAnyInRange((byte)'1', (byte)'9'))))
            {
                return false;
            }
        }
        return true;
    }
}
