using Stoa.Assistants.Documents.Tokens;

namespace Stoa.Assistants.Documents.Chunking;

/// <summary>
/// Cuts the text of a document into chunks of at most <see cref="MaxTokens"/> tokens, which end behind a sentence or a line where that does
/// not make them short. Every character that is not blank is in exactly one of them.
/// </summary>
internal static class TextChunks
{
    public const int MaxTokens = 200;

    /// <summary>A sentence's end counts only behind so many characters.</summary>
    private const int LeastCharacters = 350;

    /// <summary>No chunk of its own for less, where the one before it has room.</summary>
    private const int LeastToStandAlone = 30;

    public static List<string> Of(string text, int maxTokens = MaxTokens)
    {
        var encoder = new TokenEncoder();
        var chunks = new List<string>();
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            var (chunk, length) = First(rest, maxTokens, encoder);
            rest = rest[length..];
            if (chunk.Length > 0)
            {
                Add(chunks, chunk, maxTokens, encoder);
            }
        }
        return chunks;
    }

    private static (string Chunk, int Length) First(ReadOnlySpan<char> text, int maxTokens, TokenEncoder encoder)
    {
        for (var budget = maxTokens; ; budget--)
        {
            var length = Math.Max(encoder.LengthOf(text, budget), WidthOfFirst(text));
            var piece = text[..length];
            if (piece.IsWhiteSpace())
            {
                return ("", length);
            }
            var end = piece.LastIndexOfAny(".?!\n");
            if (end > LeastCharacters && LengthOf(piece[..end]) > LeastCharacters)
            {
                piece = piece[..(end + 1)];
            }
            var chunk = piece.ToString().Replace('\n', ' ').Trim();
            // Cut and cleaned it may be encoded otherwise than where it stood.
            if (budget == 1 || encoder.Count(chunk) <= maxTokens)
            {
                return (chunk, piece.Length);
            }
        }
    }

    private static void Add(List<string> chunks, string chunk, int maxTokens, TokenEncoder encoder)
    {
        if (chunks.Count > 0 && LengthOf(chunk) <= LeastToStandAlone
            && $"{chunks[^1]} {chunk}" is var joined && encoder.Count(joined) <= maxTokens)
        {
            chunks[^1] = joined;
            return;
        }
        chunks.Add(chunk);
    }

    /// <summary>A character that is more tokens than a chunk may have is taken whole.</summary>
    private static int WidthOfFirst(ReadOnlySpan<char> text) => char.IsSurrogatePair(text[0], text.Length > 1 ? text[1] : '\0') ? 2 : 1;

    /// <summary>In characters as people count them, not in halves of them.</summary>
    private static int LengthOf(ReadOnlySpan<char> text)
    {
        var length = text.Length;
        foreach (var letter in text)
        {
            length -= char.IsLowSurrogate(letter) ? 1 : 0;
        }
        return length;
    }
}
