using System.Globalization;
using System.Text.Json;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Wire;

/// <summary>Single values as clients write them.</summary>
internal static class WireValues
{
    public static bool? FlagOf(string? text) => text?.ToLowerInvariant() switch
    {
        "true" or "1" or "on" or "t" or "y" or "yes" => true,
        "false" or "0" or "off" or "f" or "n" or "no" => false,
        _ => null,
    };

    /// <summary>With or without hyphens, in braces or as a URN.</summary>
    public static Guid? IdOf(string? text) =>
        text is not null
            && Guid.TryParse(text.StartsWith("urn:uuid:", StringComparison.Ordinal) ? text["urn:uuid:".Length..] : text, out var id)
            ? id : null;

    public static double? NumberOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetDouble(out var number) && double.IsFinite(number) => number,
        JsonValueKind.String =>
            double.TryParse(StorableJson.TextOf(value), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number) ? number : null,
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        _ => null,
    };

    /// <summary>ISO 8601 with a time, in UTC where it names no offset, or seconds since 1970. A bare date is none.</summary>
    public static DateTimeOffset? InstantOf(string text)
    {
        // A plus that was not encoded arrives as a space.
        var sign = text.Length > 6 && text[^6] == ' '
            ? string.Concat(text.AsSpan(0, text.Length - 6), "+", text.AsSpan(text.Length - 5)) : text;
        if (double.TryParse(
            sign, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
        {
            return Math.Abs(seconds) < 2e10 ? DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond))
                : Math.Abs(seconds) < 2e13 ? DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerMillisecond)) : null;
        }
        return sign.Contains(':', StringComparison.Ordinal) && sign.Length >= 15
            && DateTimeOffset.TryParse(
                sign, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
                ? instant : null;
    }

    /// <summary>As all dates go out: microseconds and <c>+00:00</c>.</summary>
    public static string TextOf(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture);
}
