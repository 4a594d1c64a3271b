using System.Text;
using System.Text.Json.Nodes;

namespace Stoa.Gateway.Providers.Demo;

/// <summary>Texts for a schema: well-known formats, simple patterns, any length.</summary>
internal static class SchemaStrings
{
    private static readonly string[] Words = ["demo", "sample", "example", "placeholder", "offline", "stoa"];

    public static string Make(JsonObject rules, Random random, int attempt, SampleBudget budget)
    {
        var least = (int)Math.Clamp(SchemaCheck.NumberOf(rules["minLength"]) ?? 0, 0, 100_000);
        var most = (int)Math.Clamp(SchemaCheck.NumberOf(rules["maxLength"]) ?? int.MaxValue, 0, int.MaxValue);
        if (SchemaCheck.TextOf(rules["pattern"]) is { } pattern)
        {
            for (var repeat = 0; repeat < 40 && !budget.IsSpent; repeat++)
            {
                if (FromPattern(pattern, random, repeat + attempt, budget) is { } text && text.Length >= least
                    && text.Length <= most && SchemaCheck.Matches(pattern, text, budget))
                {
                    return text;
                }
            }
        }
        if (SchemaCheck.TextOf(rules["format"]) is { } format && OfFormat(format, random) is { } formatted)
        {
            return formatted;
        }
        var words = new StringBuilder(Words[random.Next(Words.Length)]).Append(' ').Append(Words[random.Next(Words.Length)]);
        least = budget.TakeLetters(least);
        while (words.Length < least)
        {
            words.Append(' ').Append(Words[random.Next(Words.Length)]);
        }
        if (words.Length > most || (least > 0 && words.Length > least && most == least))
        {
            words.Length = most;
        }
        return words.ToString();
    }

    public static string? FromPattern(string pattern, Random random, int repeat, SampleBudget budget)
    {
        try
        {
            var text = new PatternText(pattern, random, repeat, budget).Make();
            return budget.TakeLetters(text.Length) == text.Length ? text : null;
        }
        catch (FormatException)
        {
            // Beyond what a demo understands.
            return null;
        }
    }

    private static string? OfFormat(string format, Random random) => format switch
    {
        "date" => $"2024-{random.Next(1, 13):00}-{random.Next(1, 29):00}",
        "time" => $"{random.Next(24):00}:{random.Next(60):00}:00Z",
        "date-time" => $"2024-{random.Next(1, 13):00}-{random.Next(1, 29):00}T{random.Next(24):00}:{random.Next(60):00}:00Z",
        "duration" => $"P{random.Next(1, 30)}D",
        "email" or "idn-email" => $"demo{random.Next(1000)}@example.com",
        "hostname" or "idn-hostname" => $"demo{random.Next(1000)}.example.com",
        "ipv4" => $"192.0.2.{random.Next(1, 255)}",
        "ipv6" => $"2001:db8::{random.Next(1, 0xFFFF):x}",
        "uri" or "iri" => $"https://example.com/demo/{random.Next(1000)}",
        "uri-reference" or "iri-reference" => $"/demo/{random.Next(1000)}",
        "uuid" => $"{random.Next(int.MaxValue):x8}-{random.Next(0x10000):x4}-4{random.Next(0x1000):x3}-8{random.Next(0x1000):x3}-{random.NextInt64(0x1000000000000):x12}",
        "json-pointer" => "/demo",
        "regex" => "^demo$",
        _ => null,
    };
}
