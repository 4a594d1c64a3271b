using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace Stoa.Assistants.Documents.Reading;

/// <summary>
/// Bytes of the web as text: by the byte order mark, else the header, else what the page says of itself, else UTF-8 if it is, else
/// Windows-1252, as browsers do.
/// </summary>
internal static partial class Charset
{
    private const int Prescan = 1024;

    static Charset() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <param name="declared">Of the header <c>Content-Type</c>.</param>
    public static string Decode(ReadOnlySpan<byte> bytes, string? declared)
    {
        if (MarkOf(bytes) is { } marked)
        {
            return marked.GetString(bytes[marked.Preamble.Length..]);
        }
        return (Find(declared) ?? Find(DeclaredInside(bytes)) ?? Guess(bytes)).GetString(bytes);
    }

    private static Encoding? MarkOf(ReadOnlySpan<byte> bytes)
    {
        foreach (var encoding in (Encoding[])[Encoding.UTF8, Encoding.Unicode, Encoding.BigEndianUnicode])
        {
            if (bytes.StartsWith(encoding.Preamble))
            {
                return encoding;
            }
        }
        return null;
    }

    private static string? DeclaredInside(ReadOnlySpan<byte> bytes)
    {
        var match = Meta().Match(Encoding.Latin1.GetString(bytes[..Math.Min(bytes.Length, Prescan)]));
        return match.Success ? match.Groups["name"].Value : null;
    }

    private static Encoding Guess(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes) ? Encoding.UTF8 : Encoding.GetEncoding(1252);

    private static Encoding? Find(string? name)
    {
        try
        {
            return name?.Trim('"', '\'', ' ').ToLowerInvariant() switch
            {
                null or "" => null,
                "iso-8859-1" or "latin1" or "ascii" or "us-ascii" => Encoding.GetEncoding(1252),
                // A page that can be read as ASCII this far is no UTF-16, whatever it says; and UTF-7 is a way around filters.
                "utf-16" or "utf-16le" or "utf-16be" or "utf-7" => Encoding.UTF8,
                var other => Encoding.GetEncoding(other),
            };
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    [GeneratedRegex("""<meta[^>]{0,200}?charset\s*=\s*["']?(?<name>[A-Za-z0-9_:.-]{1,40})""",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Meta();
}
