using System.Text;

namespace Stoa.Assistants.Documents.Tokens;

/// <summary>
/// Byte-pair encoding of cl100k_base. What looks like a special token is plain text. Not for several threads at once; one costs nothing but
/// its buffers.
/// </summary>
internal sealed class TokenEncoder
{
    /// <summary>A line without a break is looked at so far: whoever takes it in parts would else read all of it for each part.</summary>
    private const int LongestPiece = 2_048;

    private static readonly Lazy<TokenRanks> Shared = new(TokenRanks.Load);

    private readonly TokenRanks ranks = Shared.Value;
    private readonly PriorityQueue<(int Start, int Middle, int End), (int Rank, int Start)> pairs = new();
    private byte[] bytes = new byte[256];
    private int[] next = new int[256];
    private int[] previous = new int[256];

    public int Count(ReadOnlySpan<char> text)
    {
        var count = 0;
        while (!text.IsEmpty)
        {
            var length = PreTokens.Next(text);
            var size = Merge(text[..length]);
            for (var at = 0; at < size; at = next[at])
            {
                count++;
            }
            text = text[length..];
        }
        return count;
    }

    public List<int> Encode(ReadOnlySpan<char> text)
    {
        var tokens = new List<int>();
        while (!text.IsEmpty)
        {
            var length = PreTokens.Next(text);
            var size = Merge(text[..length]);
            for (var at = 0; at < size; at = next[at])
            {
                tokens.Add(ranks.Find(bytes.AsSpan(at, next[at] - at)));
            }
            text = text[length..];
        }
        return tokens;
    }

    /// <summary>
    /// How many characters the first tokens of the text come to; a character that the last one holds a part of is left out.
    /// </summary>
    public int LengthOf(ReadOnlySpan<char> text, int tokens)
    {
        for (var taken = 0; taken < text.Length;)
        {
            var length = PreTokens.Next(text.Slice(taken, Math.Min(LongestPiece, text.Length - taken)));
            var size = Merge(text.Slice(taken, length));
            var at = 0;
            for (; at < size && tokens > 0; tokens--)
            {
                at = next[at];
            }
            if (at < size)
            {
                return taken + CharactersIn(bytes.AsSpan(0, at), text.Slice(taken, length));
            }
            taken += length;
        }
        return text.Length;
    }

    private static int CharactersIn(ReadOnlySpan<byte> part, ReadOnlySpan<char> text)
    {
        var (size, count) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            size += rune.Utf8SequenceLength;
            if (size > part.Length)
            {
                break;
            }
            count += rune.Utf16SequenceLength;
        }
        return count;
    }

    /// <summary>
    /// Merges the bytes of one piece, the pair of the lowest rank first. A heap, so that a piece of a million letters takes no longer than
    /// a million pieces. Afterwards <see cref="next"/> leads from each token to where the next one begins.
    /// </summary>
    private int Merge(ReadOnlySpan<char> piece)
    {
        Reserve(Encoding.UTF8.GetMaxByteCount(piece.Length));
        var size = Encoding.UTF8.GetBytes(piece, bytes);
        if (ranks.Find(bytes.AsSpan(0, size)) != TokenRanks.None)
        {
            next[0] = size;
            return size;
        }
        for (var at = 0; at < size; at++)
        {
            next[at] = at + 1;
            previous[at] = at - 1;
        }
        pairs.Clear();
        for (var at = 0; at + 1 < size; at++)
        {
            Consider(at, size);
        }
        while (pairs.TryDequeue(out var pair, out _))
        {
            // One of the two may have been merged otherwise since.
            if (next[pair.Start] != pair.Middle || next[pair.Middle] != pair.End)
            {
                continue;
            }
            next[pair.Start] = pair.End;
            next[pair.Middle] = -1;
            if (pair.End < size)
            {
                previous[pair.End] = pair.Start;
                Consider(pair.Start, size);
            }
            if (pair.Start > 0)
            {
                Consider(previous[pair.Start], size);
            }
        }
        return size;
    }

    private void Consider(int start, int size)
    {
        var middle = next[start];
        if (middle >= size)
        {
            return;
        }
        var end = next[middle];
        if (ranks.Find(bytes.AsSpan(start, end - start)) is var rank and not TokenRanks.None)
        {
            pairs.Enqueue((start, middle, end), (rank, start));
        }
    }

    private void Reserve(int size)
    {
        if (bytes.Length >= size)
        {
            return;
        }
        size = Math.Max(size, bytes.Length * 2);
        (bytes, next, previous) = (new byte[size], new int[size + 1], new int[size + 1]);
    }
}
