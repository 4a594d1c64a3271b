using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Wire;

/// <summary>
/// The arguments of one request, wherever the wire puts them: members of a JSON object, a query, a form. Null is as good as absent except
/// where something is required: there it must at least be named. Numbers and flags may be texts, unknown members are ignored. The first
/// that is wrong is refused in the words of the route's family.
/// </summary>
internal sealed class Fields
{
    public const int MostPerPage = 50;

    /// <summary>Of names, titles, ids, addresses.</summary>
    public const int ShortText = 255;

    /// <summary>Of what people say and what is written for them: a page of fifty such texts can still be handed out.</summary>
    public const int LongText = 200_000;

    private const int LongJson = 1 << 20;

    private readonly JsonElement body;
    private readonly IReadOnlyDictionary<string, string>? texts;
    private readonly WireTexts words;
    private readonly FieldsDocument? document;

    public Fields(JsonElement body, WireTexts words) => (this.body, this.words) = (body, words);

    public Fields(IReadOnlyDictionary<string, string> texts, WireTexts words) => (this.texts, this.words) = (texts, words);

    /// <summary>Reads nothing, and tells the document what would be read.</summary>
    public Fields(FieldsDocument document) => (this.document, words) = (document, WireTexts.User);

    /// <summary>Nothing is sent; only what would be read is asked.</summary>
    public bool IsDocument => document is not null;

    public bool Has(string name) => texts?.ContainsKey(name) ?? (document is null && body.TryGetProperty(name, out _));

    /// <summary>Every route wants it, none uses it.</summary>
    public void Datetime()
    {
        document?.Add("datetime", JsonSchemaType.String, isRequired: true, format: "date-time");
        Require("datetime");
    }

    /// <summary>In a form, beside the fields; only for the document.</summary>
    public void File(string name) => document?.AddFile(name);

    public string Text(string name, int most = int.MaxValue) => Required(name, OptionalText(name, most, isRequired: true)) ?? "";

    public string? OptionalText(string name, int most = int.MaxValue) => OptionalText(name, most, isRequired: false);

    /// <summary>One of these words.</summary>
    public string Choice(string name, params string[] words) => Required(name, OptionalChoice(name, isRequired: true, words)) ?? words[0];

    public string? OptionalChoice(string name, params string[] words) => OptionalChoice(name, isRequired: false, words);

    public int Integer(string name) => Required(name, OptionalInteger(name, isRequired: true)) ?? 0;

    public int? OptionalInteger(string name) => OptionalInteger(name, isRequired: false);

    /// <summary>How many a page may have at most: what was asked for, but no more than 50; 50 when nothing was.</summary>
    public int PageSize(string name) => Math.Min(NotNegative(name, OptionalInteger(name) ?? MostPerPage), MostPerPage);

    public int Offset(string name = "offset") => NotNegative(name, OptionalInteger(name) ?? 0);

    public double Number(string name)
    {
        document?.Add(name, JsonSchemaType.Number, isRequired: true);
        double? number = Sent(name) is { } sent ? NumberOf(sent) ?? throw Wrong(name) : null;
        return Required(name, number) ?? 0;
    }

    public bool? OptionalFlag(string name)
    {
        document?.Add(name, JsonSchemaType.Boolean, isRequired: false);
        return Sent(name) is not { } sent ? null : sent switch
        {
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            { ValueKind: JsonValueKind.String } when bool.TryParse(StorableJson.TextOf(sent), out var flag) => flag,
            _ => throw Wrong(name),
        };
    }

    /// <summary>A day as <c>yyyy-mm-dd</c>, of what may be given as an instant too.</summary>
    public DateOnly? OptionalDate(string name, Func<string, Failure>? refuse = null)
    {
        document?.Add(name, JsonSchemaType.String, isRequired: false, format: "date");
        return Sent(name) is not { } sent ? null
            : sent.ValueKind == JsonValueKind.String && StorableJson.TextOf(sent) is { } text
                && DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date
            : throw refuse?.Invoke(sent.ValueKind == JsonValueKind.String ? StorableJson.TextOf(sent) ?? "" : sent.GetRawText())
            ?? Wrong(name);
    }

    /// <summary>ISO 8601, taken as UTC where it names no zone.</summary>
    public DateTimeOffset Instant(string name)
    {
        document?.Add(name, JsonSchemaType.String, isRequired: true, format: "date-time");
        DateTimeOffset? instant = Sent(name) is { } sent ? InstantOf(sent) ?? throw Wrong(name) : null;
        return Required(name, instant) ?? default;
    }

    /// <summary>
    /// Any JSON whose texts can be kept; in a query or a form it stands in a text. It lives as long as the request's body.
    /// </summary>
    public JsonElement Json(string name)
    {
        Require(name);
        return OptionalJson(name, LongJson, isRequired: true) ?? FieldsDocument.Null;
    }

    public JsonElement? OptionalJson(string name, int most = LongJson) => OptionalJson(name, most, isRequired: false);

    /// <summary>A JSON object, for the handler to keep.</summary>
    public JsonObject Object(string name) => IsDocument ? Described(name)
        : Json(name) is { ValueKind: JsonValueKind.Object } sent ? JsonNode.Parse(sent.GetRawText())!.AsObject()
        : throw Wrong(name);

    /// <summary>The members of an array of objects.</summary>
    public IReadOnlyList<Fields> Objects(string name, Action<Fields> describe)
    {
        document?.AddObjects(name, describe);
        if (document is not null)
        {
            return [];
        }
        Require(name);
        var array = OptionalJson(name, LongJson, isRequired: true);
        return array is { ValueKind: JsonValueKind.Array } items
            && items.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object)
            ? [.. items.EnumerateArray().Select(item => new Fields(item, words))]
            : throw Wrong(name);
    }

    public Failure Missing(string name) => Failure.Invalid(words.Missing(name), name);

    public Failure Wrong(string name) => Failure.Invalid(words.Wrong(name), name);

    private JsonObject Described(string name)
    {
        document!.Add(name, JsonSchemaType.Object, isRequired: true);
        return [];
    }

    private string? OptionalText(string name, int most, bool isRequired)
    {
        document?.Add(name, isRequired ? JsonSchemaType.String : JsonSchemaType.String | JsonSchemaType.Null, isRequired, most: most);
        if (Sent(name) is not { } sent)
        {
            return null;
        }
        return sent.ValueKind == JsonValueKind.String && StorableJson.TextOf(sent) is { } text
            && text.Length <= most ? text : throw Wrong(name);
    }

    private string? OptionalChoice(string name, bool isRequired, string[] words)
    {
        document?.Add(name, JsonSchemaType.String, isRequired, words: words);
        return Sent(name) is not { } sent ? null
            : sent.ValueKind == JsonValueKind.String && StorableJson.TextOf(sent) is { } text
            && words.Contains(text, StringComparer.Ordinal) ? text
            : throw Wrong(name);
    }

    private int? OptionalInteger(string name, bool isRequired)
    {
        document?.Add(name, isRequired ? JsonSchemaType.Integer : JsonSchemaType.Integer | JsonSchemaType.Null, isRequired);
        return Sent(name) is not { } sent ? null : sent switch
        {
            { ValueKind: JsonValueKind.Number } when sent.TryGetInt32(out var number) => number,
            { ValueKind: JsonValueKind.String } when int.TryParse(
                StorableJson.TextOf(sent), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
            _ => throw Wrong(name),
        };
    }

    private JsonElement? OptionalJson(string name, int most, bool isRequired)
    {
        document?.Add(name, type: null, isRequired);
        if (Sent(name) is not { } sent)
        {
            return null;
        }
        if (texts is not null)
        {
            sent = Bodies.TryParse(texts[name]) ?? throw Wrong(name);
        }
        return JsonMarshal.GetRawUtf8Value(sent).Length <= most && StorableJson.Holds(sent) ? sent : throw Wrong(name);
    }

    private int NotNegative(string name, int number) => number >= 0 ? number : throw Wrong(name);

    private void Require(string name)
    {
        if (document is null && !Has(name))
        {
            throw Missing(name);
        }
    }

    // Absent and null are told apart only here: the one is missing, the other is wrong.
    private T? Required<T>(string name, T? value)
    {
        Require(name);
        return document is null && value is null ? throw Wrong(name) : value;
    }

    private JsonElement? Sent(string name)
    {
        if (texts is not null)
        {
            return texts.TryGetValue(name, out var text) ? JsonElement.Parse($"\"{JsonEncodedText.Encode(text)}\"") : null;
        }
        return document is null && body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private static double? NumberOf(JsonElement sent) => sent switch
    {
        { ValueKind: JsonValueKind.Number } when sent.TryGetDouble(out var number) && double.IsFinite(number) => number,
        { ValueKind: JsonValueKind.String }
            when double.TryParse(StorableJson.TextOf(sent), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number) => number,
        _ => null,
    };

    private static DateTimeOffset? InstantOf(JsonElement sent) => sent.ValueKind == JsonValueKind.String && DateTimeOffset.TryParse(
        StorableJson.TextOf(sent), CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
            && instant.Year is > 1 and < 9999 ? instant : null;
}
