using System.Globalization;
using System.Text;

namespace Stoa.Gateway.Providers.Demo;

/// <summary>
/// Text that matches a simple regular expression: literals, classes, groups, alternatives, quantifiers, anchors. Throws
/// <see cref="FormatException"/> for the rest (look-around, back-references).
/// </summary>
/// <param name="repeat">How often an open-ended quantifier repeats, beyond its least count.</param>
internal sealed class PatternText(string pattern, Random random, int repeat, SampleBudget budget)
{
    private const int MaxLength = 10_000;
    private const int MaxSteps = 50_000;
    private const int MaxPattern = 1000;

    private int place;
    private int steps;

    public string Make()
    {
        // A pattern is taken apart by recursion, so its length bounds the stack.
        var text = pattern.Length <= MaxPattern ? Alternatives() : throw new FormatException("Too long.");
        return place == pattern.Length ? text : throw new FormatException("Unbalanced group.");
    }

    private string Alternatives()
    {
        var choices = new List<string> { Sequence() };
        while (place < pattern.Length && pattern[place] == '|')
        {
            place++;
            choices.Add(Sequence());
        }
        return choices[random.Next(choices.Count)];
    }

    private string Sequence()
    {
        var text = new StringBuilder();
        while (place < pattern.Length && pattern[place] is not ('|' or ')'))
        {
            var start = place;
            var first = Atom();
            var (least, most) = Quantifier();
            var after = place;
            var count = most == int.MaxValue ? least + repeat : Math.Min(most, Math.Max(least, repeat));
            for (var i = 0; i < count && text.Length < MaxLength; i++)
            {
                place = start;
                var piece = i == 0 ? first : Atom();
                budget.Spend(1 + (piece.Length / 16));
                text.Append(piece);
            }
            place = after;
        }
        return text.ToString();
    }

    private string Atom() => ++steps > MaxSteps || budget.IsSpent ? throw new FormatException("Too much work.") : pattern[place] switch
    {
        '^' or '$' => Skip(1),
        '(' => Group(),
        '[' => Class().ToString(),
        '.' => Skip(1) + 'x',
        '\\' => Escape(),
        var letter => Skip(1) + letter,
    };

    private string Skip(int count)
    {
        place += count;
        return "";
    }

    private string Group()
    {
        place++;
        if (place + 1 < pattern.Length && pattern[place] == '?')
        {
            place += pattern[place + 1] == ':' ? 2 : throw new FormatException("Look-around.");
        }
        var text = Alternatives();
        if (place >= pattern.Length)
        {
            throw new FormatException("Unbalanced group.");
        }
        place++;
        return text;
    }

    private string Escape()
    {
        place++;
        if (place >= pattern.Length)
        {
            throw new FormatException("A lone backslash.");
        }
        var letter = pattern[place++];
        return letter switch
        {
            'b' or 'B' => "",
            'd' => Digit().ToString(),
            'w' => Letter().ToString(),
            's' => " ",
            'D' or 'W' or 'S' => letter == 'W' ? "-" : "x",
            'n' => "\n",
            't' => "\t",
            'r' => "\r",
            'u' when place + 4 <= pattern.Length
                && ushort.TryParse(pattern.AsSpan(place, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var unit) =>
                Skip(4) + (char)unit,
            >= '0' and <= '9' or 'p' or 'P' or 'k' or 'x' or 'c' or 'u' => throw new FormatException("An escape beyond the simple ones."),
            _ => letter.ToString(),
        };
    }

    private char Class()
    {
        var end = place + 1;
        var isNegated = end < pattern.Length && pattern[end] == '^';
        place = isNegated ? end + 1 : end;
        var letters = new List<char>();
        while (place < pattern.Length && (pattern[place] != ']' || (letters.Count == 0 && !isNegated && place == end)))
        {
            var (from, isSet) = ClassItem(letters);
            if (!isSet && place + 1 < pattern.Length && pattern[place] == '-' && pattern[place + 1] != ']')
            {
                place++;
                var (to, _) = ClassItem([]);
                for (var letter = from; letter <= to && letters.Count < 500; letter++)
                {
                    letters.Add(letter);
                }
            }
            else if (!isSet)
            {
                letters.Add(from);
            }
        }
        if (place >= pattern.Length || letters.Count == 0)
        {
            throw new FormatException("An open class.");
        }
        place++;
        if (!isNegated)
        {
            return letters[random.Next(letters.Count)];
        }
        for (var letter = 'a'; letter < '\u0100'; letter++)
        {
            if (!letters.Contains(letter))
            {
                return letter;
            }
        }
        throw new FormatException("A class that excludes all letters.");
    }

    private (char Letter, bool IsSet) ClassItem(List<char> letters)
    {
        if (pattern[place] != '\\' || place + 1 >= pattern.Length)
        {
            return (pattern[place++], false);
        }
        var kind = pattern[place + 1];
        switch (kind)
        {
            case 'd':
                letters.AddRange("0123456789");
                break;
            case 'w':
                letters.AddRange("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
                break;
            case 's':
                letters.Add(' ');
                break;
            default:
                var text = Escape();
                return text.Length == 1 ? (text[0], false) : throw new FormatException("An escape in a class.");
        }
        place += 2;
        return (' ', true);
    }

    private (int Least, int Most) Quantifier()
    {
        if (place >= pattern.Length)
        {
            return (1, 1);
        }
        (int, int) range;
        switch (pattern[place])
        {
            case '*':
                range = (0, int.MaxValue);
                place++;
                break;
            case '+':
                range = (1, int.MaxValue);
                place++;
                break;
            case '?':
                range = (0, 1);
                place++;
                break;
            case '{' when pattern.IndexOf('}', place) is > 0 and var end:
                range = Bounds(pattern[(place + 1)..end]);
                place = end + 1;
                break;
            default:
                return (1, 1);
        }
        if (place < pattern.Length && pattern[place] is '?')
        {
            place++;
        }
        return range;
    }

    private static (int Least, int Most) Bounds(string text)
    {
        var ends = text.Split(',', 2);
        var least = Number(ends[0]);
        return ends.Length == 1 ? (least, least) : (least, ends[1].Length == 0 ? int.MaxValue : Number(ends[1]));
    }

    private static int Number(string digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MaxLength
            ? number
            : throw new FormatException("A count beyond measure.");

    private char Digit() => (char)('0' + random.Next(10));

    private char Letter() => (char)('a' + random.Next(26));
}
