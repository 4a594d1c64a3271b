using System.Net.Mail;

namespace Stoa.Assistants.Mail;

/// <summary>
/// One mail, as it leaves: whatever people or models have written is plain text, or HTML that <see cref="SafeHtml"/> has made.
/// </summary>
/// <param name="Id">
/// Stands before the @ of the Message-ID. The same mail sent again has the same one, by which receivers recognize it.
/// </param>
internal sealed record Letter(string Id, IReadOnlyList<string> To, string Subject, string Text)
{
    private const int LongestSubject = 200, LongestAddress = 254;

    public string? Html { get; init; }

    /// <summary>Where a POST ends mails of this kind (RFC 8058).</summary>
    public string? UnsubscribeUrl { get; init; }

    /// <summary>One line without control characters: nothing in it can begin a header of its own.</summary>
    public static string Line(string text)
    {
        var line = string.Concat(text.Select(letter => char.IsControl(letter) || letter is '\u2028' or '\u2029' ? ' ' : letter)).Trim();
        if (line.Length > LongestSubject)
        {
            // No surrogate is left without its other half.
            line = line[..(char.IsHighSurrogate(line[LongestSubject - 1]) ? LongestSubject - 1 : LongestSubject)];
        }
        return line;
    }

    /// <summary>Whether mail can be addressed to it: one plain address, without a name, a list or anything else.</summary>
    public static bool IsAddress(string? address) =>
        address is { Length: <= LongestAddress }
        && !address.Any(letter => char.IsControl(letter) || letter is ' ' or ',' or ';' or '<' or '>')
        && MailAddress.TryCreate(address, out var parsed) && parsed.Address == address;
}
