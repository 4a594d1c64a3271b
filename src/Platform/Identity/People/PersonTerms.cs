using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>What a person says of himself; null leaves a thing as it is (or as it is by default).</summary>
/// <param name="Locale">BCP 47: <c>de-CH</c>.</param>
/// <param name="TimeZone">IANA: <c>Europe/Berlin</c>.</param>
public sealed partial record PersonTerms(string? Name = null, string? Locale = null, string? TimeZone = null)
{
    private const int MaxName = 200;

    public IEnumerable<FieldError> Check()
    {
        if (Name is not null && !IsName(Name))
        {
            yield return new("name", $"name must have between 1 and {MaxName} characters and no control characters");
        }
        if (Locale is not null && !LocaleTag().IsMatch(Locale))
        {
            yield return new("locale", "locale must be a language tag such as en or de-CH");
        }
        if (TimeZone is not null && !IsTimeZone(TimeZone))
        {
            yield return new("time_zone", "time_zone must be an IANA time zone such as Europe/Berlin");
        }
    }

    internal static bool IsName([NotNullWhen(true)] string? text) =>
        !string.IsNullOrWhiteSpace(text) && text.Length <= MaxName && !text.Any(char.IsControl) && IsWellFormed(text);

    private static bool IsTimeZone(string name) =>
        name.Length <= 64
            && (name == "UTC" || (name.Contains('/', StringComparison.Ordinal) && !name.Contains("..", StringComparison.Ordinal)
            && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) && zone.HasIanaId));

    /// <summary>Half a character (a lone surrogate) cannot be stored.</summary>
    internal static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[++i])))
            {
                return false;
            }
        }
        return true;
    }

    [GeneratedRegex("^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex LocaleTag();
}
