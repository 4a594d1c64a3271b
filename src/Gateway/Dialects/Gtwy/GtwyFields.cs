using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Gtwy;

/// <summary>Reading a body of GTWY's wire: what is absent or null is not there, what has the wrong type is refused by its name.</summary>
internal static class GtwyFields
{
    private const int MaxName = 512;
    private const int MaxDocument = 2 << 20;

    public static string? Text(this JsonObject body, string name, int atMost = int.MaxValue) => body[name] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String =>
            value.GetValue<string>() is var text && text.Length <= atMost ? text
                : throw Wrong(name, $"may have at most {atMost} characters"),
        _ => throw Wrong(name, "must be a text"),
    };

    /// <summary>A text that says something.</summary>
    public static string NeedText(this JsonObject body, string name, int atMost = MaxName) =>
        body.Text(name, atMost) is { } text && !string.IsNullOrWhiteSpace(text) ? text : throw Wrong(name, "is required");

    public static JsonObject? Object(this JsonObject body, string name) =>
        body[name] is null ? null : body[name] as JsonObject ?? throw Wrong(name, "must be an object");

    public static JsonArray? Array(this JsonObject body, string name) =>
        body[name] is null ? null : body[name] as JsonArray ?? throw Wrong(name, "must be an array");

    /// <summary>Texts, each once, in their order.</summary>
    public static List<string>? Texts(this JsonObject body, string name, int atMost = 1_000)
    {
        if (body.Array(name) is not { } array)
        {
            return null;
        }
        if (array.Count > atMost)
        {
            throw Wrong(name, $"may have at most {atMost} items");
        }
        return [.. array.Select(item => item?.GetValueKind() == JsonValueKind.String
            ? item.GetValue<string>() : throw Wrong(name, "must hold texts"))
            .Distinct(StringComparer.Ordinal)];
    }

    public static bool? Flag(this JsonObject body, string name) => body[name]?.GetValueKind() switch
    {
        null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, "must be true or false"),
    };

    /// <summary>Not below 0; a text of digits counts as a number.</summary>
    public static decimal? Amount(this JsonObject body, string name)
    {
        if (body[name] is not { } value)
        {
            return null;
        }
        var text = value.GetValueKind() switch
        {
            JsonValueKind.Number => value.ToJsonString(),
            JsonValueKind.String => value.GetValue<string>(),
            _ => "",
        };
        return decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var amount)
            && amount is >= 0 and <= 1_000_000_000_000
            ? amount
            : throw Wrong(name, "must be a number from 0 to 1000000000000");
    }

    /// <summary>One of a few words.</summary>
    public static string? Word(this JsonObject body, string name, params ReadOnlySpan<string> words) => body.Text(name) switch
    {
        null => null,
        { } text when words.Contains(text) => text,
        _ => throw Wrong(name, $"must be one of {string.Join(", ", words)}"),
    };

    public static DateTimeOffset? Instant(this JsonObject body, string name) => body.Text(name) switch
    {
        null => null,
        { } text when DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) => at,
        _ => throw Wrong(name, "must be an ISO 8601 time"),
    };

    public static string InstantText(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    public static Failure Wrong(string name, string problem) => Failure.Invalid($"{name} {problem}", name);

    /// <summary>The document, if it is small enough to be kept: many are read together, and held in memory.</summary>
    public static JsonObject Bounded(this JsonObject document) =>
        JsonSerializer.SerializeToUtf8Bytes(document, GatewayJson.Default.JsonObject).Length <= MaxDocument
            ? document
            : throw new Failure(
                FailureKind.TooLarge, "request_too_large", $"What is kept of it would be larger than {MaxDocument >> 20} MB");

    /// <summary>The object of that name, made where there is none.</summary>
    public static JsonObject ObjectOrNew(this JsonObject holder, string name)
    {
        if (holder[name] is JsonObject found)
        {
            return found;
        }
        var made = new JsonObject();
        holder[name] = made;
        return made;
    }

    /// <summary>Takes the value out, so that it can be put elsewhere.</summary>
    public static JsonNode? Take(this JsonObject holder, string name)
    {
        var value = holder[name];
        holder.Remove(name);
        return value;
    }
}
