using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Stoa.Platform.Identity;

/// <summary>What can be an address, and when two are the same.</summary>
public static class EmailAddress
{
    private const int MaxLength = 254;
    private const int MaxLocal = 64;

    /// <summary>
    /// As addresses are compared: ASCII letters without case. Others keep theirs, since what folds onto ASCII (the Kelvin sign onto k)
    /// would let one address pass for another.
    /// </summary>
    public static string KeyOf(string address) => string.Create(address.Length, address, static (key, from) =>
    {
        for (var i = 0; i < from.Length; i++)
        {
            key[i] = char.IsAsciiLetterUpper(from[i]) ? (char)(from[i] | 0x20) : from[i];
        }
    });

    /// <summary>Something at something, without spaces and invisible characters; only a letter sent there shows that it exists.</summary>
    public static bool TryRead(string? text, [NotNullWhen(true)] out string? address)
    {
        address = null;
        if (text is null || text.Length > MaxLength * 2 || !PersonTerms.IsWellFormed(text))
        {
            return false;
        }
        var trimmed = text.Trim().Normalize(NormalizationForm.FormC);
        var at = trimmed.IndexOf('@', StringComparison.Ordinal);
        if (at is < 1 or > MaxLocal || at == trimmed.Length - 1 || trimmed.Length > MaxLength
            || trimmed.AsSpan(at + 1).Contains('@') || trimmed.Any(IsOdd))
        {
            return false;
        }
        address = trimmed;
        return true;
    }

    private static bool IsOdd(char character) => character is '<' or '>' or '"' or ',' or ';' or '(' or ')' or '\\'
        || char.IsWhiteSpace(character)
        || char.GetUnicodeCategory(character) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse;
}
