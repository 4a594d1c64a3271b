using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stoa.Platform.Http;

namespace Stoa.Learning.Wire;

/// <summary>
/// Values as the original's front end sends them: ids as texts (<c>"user_id":"1"</c>), flags as words. What these take, and the words for
/// what they refuse, is in <see cref="BodyCheck"/>, which has looked at the body before.
/// </summary>
internal static class LenientValues
{
    public static void AddTo(IList<JsonConverter> converters)
    {
        converters.Add(new LenientInt());
        converters.Add(new LenientDouble());
        converters.Add(new LenientBool());
        converters.Add(new LenientInstant());
    }

    /// <summary>A whole number, as a number or as a decimal text; null for everything else.</summary>
    public static decimal? WholeNumber(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetDecimal(out var number) && decimal.Truncate(number) == number => number,
        JsonValueKind.String => WholeNumber(StorableJson.TextOf(value)),
        _ => null,
    };

    public static decimal? WholeNumber(string? text) => decimal.TryParse(
        text?.Trim(), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && decimal.Truncate(number) == number ? number : null;

    public static double? Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetDouble(out var number) && double.IsFinite(number) => number,
        JsonValueKind.String
            when double.TryParse(StorableJson.TextOf(value)?.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number) => number,
        _ => null,
    };

    public static bool? Flag(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => Flag(value.GetRawText()),
        JsonValueKind.String => Flag(StorableJson.TextOf(value)),
        _ => null,
    };

    public static bool? Flag(string? text) => text?.ToLowerInvariant() switch
    {
        "true" or "1" or "on" or "yes" or "y" or "t" => true,
        "false" or "0" or "off" or "no" or "n" or "f" => false,
        _ => null,
    };

    private sealed class LenientInt : JsonConverter<int>
    {
        public override int Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            WholeNumber(JsonElement.ParseValue(ref reader)) is { } number ? decimal.ToInt32(number) : throw new JsonException();

        public override void Write(Utf8JsonWriter writer, int value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }

    private sealed class LenientDouble : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Number(JsonElement.ParseValue(ref reader)) ?? throw new JsonException();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
    }

    private sealed class LenientBool : JsonConverter<bool>
    {
        public override bool Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Flag(JsonElement.ParseValue(ref reader)) ?? throw new JsonException();

        public override void Write(Utf8JsonWriter writer, bool value, JsonSerializerOptions options) => writer.WriteBooleanValue(value);
    }
}

/// <summary>ISO 8601 with <c>T</c> or a space, with a zone or without (then UTC), or seconds or milliseconds since 1970.</summary>
internal sealed class LenientInstant : JsonConverter<DateTimeOffset>
{
    // What is larger counts milliseconds, as in pydantic.
    private const double MostSeconds = 2e10;

    public static DateTimeOffset? Parse(ref Utf8JsonReader reader) => Parse(JsonElement.ParseValue(ref reader));

    public static DateTimeOffset? Parse(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Parse(StorableJson.TextOf(value)),
        JsonValueKind.Number when value.TryGetDouble(out var number) => OfUnix(number),
        _ => null,
    };

    public static DateTimeOffset? Parse(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? OfUnix(number)
        : DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
            && instant.Year > 1 ? instant : null;

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Parse(ref reader) ?? throw new JsonException();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value);

    private static DateTimeOffset? OfUnix(double number)
    {
        var seconds = Math.Abs(number) > MostSeconds ? number / 1000 : number;
        return Math.Abs(seconds) < MostSeconds ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : null;
    }
}
