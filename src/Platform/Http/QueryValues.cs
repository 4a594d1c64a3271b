using System.Globalization;

namespace Stoa.Platform.Http;

/// <summary>Values of a query string that need a clearer answer than "bad request" when they are wrong.</summary>
public static class QueryValues
{
    private const int MaxText = 200;

    /// <summary>An ISO 8601 time, taken as UTC where it names no zone; null when it is absent or empty.</summary>
    /// <exception cref="Failure">Invalid: it is no time.</exception>
    public static DateTimeOffset? Instant(string? text, string field) => string.IsNullOrEmpty(text) ? null
        : DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time
        : throw Failure.Invalid($"{field} must be an ISO 8601 time", field);

    /// <summary>Null when it is absent or empty.</summary>
    /// <exception cref="Failure">Invalid: it is no id.</exception>
    public static Guid? Id(string? text, string field) => string.IsNullOrEmpty(text) ? null
        : Guid.TryParse(text, out var id) ? id
        : throw Failure.Invalid($"{field} must be an id", field);

    /// <summary>Null when it is absent or empty. No stored text holds NUL, so nothing could be found by it.</summary>
    /// <exception cref="Failure">Invalid: it is too long to be found, or holds NUL.</exception>
    public static string? Text(string? text, string field) => text switch
    {
        null or "" => null,
        { Length: > MaxText } => throw Failure.Invalid($"{field} must have at most {MaxText} characters", field),
        _ when text.Contains('\0', StringComparison.Ordinal) =>
            throw Failure.Invalid($"{field} holds a character that nothing here has", field),
        _ => text,
    };
}
