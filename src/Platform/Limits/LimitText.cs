using System.Globalization;

namespace Stoa.Platform.Limits;

/// <summary>Waiting times as the vendors' limit headers write them.</summary>
public static class LimitText
{
    /// <summary><c>12ms</c>, <c>1s</c>, <c>6m0s</c>, <c>1h0m0s</c>: the form of OpenAI's <c>x-ratelimit-reset-*</c>. Rounded up.</summary>
    public static string Duration(TimeSpan time)
    {
        if (time < TimeSpan.FromSeconds(1))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (long)Math.Ceiling(time.TotalMilliseconds))}ms");
        }
        var seconds = (long)Math.Ceiling(time.TotalSeconds);
        return seconds switch
        {
            < 60 => string.Create(CultureInfo.InvariantCulture, $"{seconds}s"),
            < 3600 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}m{seconds % 60}s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600}h{seconds / 60 % 60}m{seconds % 60}s"),
        };
    }

    /// <summary>Whole seconds for <c>Retry-After</c>, rounded up and at least one: a client that obeys is not refused again.</summary>
    public static string Seconds(TimeSpan time) =>
        Math.Max(1, (long)Math.Ceiling(time.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
}
