using System.Globalization;

namespace Stoa.Platform.Egress;

/// <summary>
/// How long a service asks to be left alone: its <c>Retry-After</c>, which is seconds (some send fractions) or an HTTP date.
/// </summary>
public static class AskedWait
{
    private const double Longest = 86_400;

    /// <summary>Null where it asks for nothing, or for what is no time.</summary>
    public static TimeSpan? Of(HttpResponseMessage answer, TimeProvider time) =>
        answer.Headers.NonValidated.TryGetValues("Retry-After", out var values) ? Read(values.ToString(), time.GetUtcNow()) : null;

    /// <inheritdoc cref="Of(HttpResponseMessage, TimeProvider)"/>
    public static TimeSpan? Read(string? text, DateTimeOffset now) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) ? OfSeconds(seconds)
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? OfSeconds((date - now).TotalSeconds)
        : null;

    /// <summary>A day at the most; what is over already is no wait.</summary>
    public static TimeSpan? OfSeconds(double seconds) =>
        double.IsFinite(seconds) ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, Longest)) : null;
}
