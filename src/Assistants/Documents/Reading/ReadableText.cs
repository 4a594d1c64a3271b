using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Stoa.Assistants.Documents.Reading;

/// <summary>What of a page or file is there to be read.</summary>
/// <param name="Language">Two letters, or empty where it does not say.</param>
internal sealed record ReadableText(string Title, string Text, string Language = "")
{
    public const int LongestTitle = 255;

    /// <summary>Tells versions apart.</summary>
    public byte[] Hash() => SHA256.HashData(Encoding.UTF8.GetBytes($"{Title}\n{Text}"));
}

internal static partial class TextCleaning
{
    /// <summary>Text that the database can keep: no NUL, no half characters, line breaks of one kind, and no blank lines.</summary>
    public static string Clean(string text)
    {
        var lines = new StringBuilder(text.Length);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var trimmed = line.TrimEnd();
            if (!trimmed.IsWhiteSpace())
            {
                AppendStorable(lines, trimmed);
                lines.Append('\n');
            }
        }
        if (lines.Length > 0)
        {
            lines.Length--;
        }
        return lines.ToString();
    }

    /// <summary>One line of at most so many characters.</summary>
    public static string CleanLine(string text, int most = ReadableText.LongestTitle)
    {
        var line = new StringBuilder();
        AppendStorable(line, Blank().Replace(text, " ").Trim());
        var length = Math.Min(line.Length, most);
        return line.ToString(0, length > 0 && length < line.Length && char.IsHighSurrogate(line[length - 1]) ? length - 1 : length).Trim();
    }

    /// <summary><c>de</c> of <c>de-AT</c>; empty for what is no language.</summary>
    public static string LanguageOf(string? tag) =>
        tag is not null && Language().Match(tag) is { Success: true } match ? match.Groups["code"].Value.ToLowerInvariant() : "";

    private static void AppendStorable(StringBuilder output, ReadOnlySpan<char> text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value >= ' ' || rune.Value == '\t')
            {
                output.Append(rune);
            }
        }
    }

    [GeneratedRegex(@"\s+", RegexOptions.None, 1000)]
    private static partial Regex Blank();

    [GeneratedRegex("^(?<code>[A-Za-z]{2})([-_].*)?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Language();
}
