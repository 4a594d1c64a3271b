using System.Text.RegularExpressions;

namespace Stoa.Gateway.Runs.Trials;

/// <summary>
/// How alike two texts are: the cosine of their TF-IDF vectors, from 0 to 1, as scikit-learn weighs them (smooth idf, l2).
/// </summary>
internal static partial class TextSimilarity
{
    private const int Texts = 2;

    public static double Cosine(string first, string second)
    {
        var (one, other) = (Count(first), Count(second));
        double product = 0, oneLength = 0, otherLength = 0;
        foreach (var word in one.Keys.Union(other.Keys, StringComparer.Ordinal))
        {
            var (inOne, inOther) = (one.GetValueOrDefault(word), other.GetValueOrDefault(word));
            var found = (inOne > 0 ? 1 : 0) + (inOther > 0 ? 1 : 0);
            var rarity = Math.Log((1.0 + Texts) / (1.0 + found)) + 1;
            product += inOne * rarity * inOther * rarity;
            oneLength += Math.Pow(inOne * rarity, 2);
            otherLength += Math.Pow(inOther * rarity, 2);
        }
        return oneLength == 0 || otherLength == 0 ? string.Equals(first.Trim(), second.Trim(), StringComparison.OrdinalIgnoreCase) ? 1 : 0
            : Math.Round(Math.Min(1, product / Math.Sqrt(oneLength * otherLength)), 4);
    }

    private static Dictionary<string, int> Count(string text)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (Match word in Word().Matches(text.ToLowerInvariant()))
        {
            counts[word.Value] = counts.GetValueOrDefault(word.Value) + 1;
        }
        return counts;
    }

    [GeneratedRegex(@"\w+", RegexOptions.NonBacktracking)]
    private static partial Regex Word();
}
