using System.Globalization;
using System.Text;

namespace Stoa.Assistants.Documents.Tokens;

/// <summary>
/// Cuts text into the pieces that cl100k_base merges on their own. What its pattern says, written out, since .NET's expressions know no
/// letters outside the basic plane:
/// <c>('s|'t|'re|'ve|'m|'ll|'d, in either case)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>
/// </summary>
internal static class PreTokens
{
    private enum Kind : byte
    {
        Other,
        Letter,
        Number,
        Space,
        Line,
    }

    /// <summary>How many characters the next piece has; the text is not empty.</summary>
    public static int Next(ReadOnlySpan<char> text)
    {
        var first = KindAt(text, 0, out var width);
        if (first == Kind.Other && text[0] == '\'' && Contraction(text) is var contraction and > 0)
        {
            return contraction;
        }
        switch (first)
        {
            case Kind.Letter:
                return RunOf(Kind.Letter, text, width);
            case Kind.Number:
                return Numbers(text, width);
        }
        if (first != Kind.Line && width < text.Length && KindAt(text, width, out var letter) == Kind.Letter)
        {
            return RunOf(Kind.Letter, text, width + letter);
        }
        if (first == Kind.Other)
        {
            return Others(text, width);
        }
        return text[0] == ' ' && text.Length > 1 && KindAt(text, 1, out var other) == Kind.Other ? Others(text, 1 + other) : Spaces(text);
    }

    private static int Contraction(ReadOnlySpan<char> text)
    {
        if (text.Length < 2)
        {
            return 0;
        }
        var next = text.Length > 2 ? text[2] : '\0';
        return text[1] switch
        {
            's' or 'S' or 't' or 'T' or 'm' or 'M' or 'd' or 'D' => 2,
            'r' or 'R' or 'v' or 'V' when next is 'e' or 'E' => 3,
            'l' or 'L' when next is 'l' or 'L' => 3,
            _ => 0,
        };
    }

    private static int RunOf(Kind kind, ReadOnlySpan<char> text, int from)
    {
        while (from < text.Length && KindAt(text, from, out var width) == kind)
        {
            from += width;
        }
        return from;
    }

    private static int Numbers(ReadOnlySpan<char> text, int from)
    {
        for (var count = 1; count < 3 && from < text.Length && KindAt(text, from, out var width) == Kind.Number; count++)
        {
            from += width;
        }
        return from;
    }

    private static int Others(ReadOnlySpan<char> text, int from)
    {
        from = RunOf(Kind.Other, text, from);
        return RunOf(Kind.Line, text, from);
    }

    /// <summary>To its last line break; else all but the last space before a word, which belongs to the word.</summary>
    private static int Spaces(ReadOnlySpan<char> text)
    {
        var (end, lastLine) = (0, -1);
        while (end < text.Length && KindAt(text, end, out _) is var kind and (Kind.Space or Kind.Line))
        {
            lastLine = kind == Kind.Line ? end : lastLine;
            end++;
        }
        if (lastLine >= 0)
        {
            return lastLine + 1;
        }
        return end < text.Length && end > 1 ? end - 1 : end;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int at, out int width)
    {
        var letter = text[at];
        width = 1;
        if (letter < 0x80)
        {
            return char.IsAsciiLetter(letter) ? Kind.Letter
                : char.IsAsciiDigit(letter) ? Kind.Number
                : letter is '\r' or '\n' ? Kind.Line
                : letter is ' ' or (>= '\t' and <= '\f') ? Kind.Space : Kind.Other;
        }
        if (letter == '\ufeff' || (letter != '\u0085' && char.IsWhiteSpace(letter)))
        {
            return Kind.Space;
        }
        var category = char.GetUnicodeCategory(letter);
        if (category == UnicodeCategory.Surrogate
            && Rune.DecodeFromUtf16(text[at..], out var rune, out var used) == System.Buffers.OperationStatus.Done)
        {
            (category, width) = (Rune.GetUnicodeCategory(rune), used);
        }
        return category switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Kind.Other,
        };
    }
}
