using System.Text.RegularExpressions;

namespace Stoa.Gateway.Runs.Safety;

/// <summary>What can be told without a model: words of known attacks, and data that looks private. Deterministic, and first.</summary>
internal static partial class LocalChecks
{
    /// <summary>The category that a text violates and why; null for none.</summary>
    /// <param name="isOn">Whether a category is looked for.</param>
    public static (string Category, string Reason)? Find(string text, Func<string, bool> isOn)
    {
        if (isOn("prompt_injection") && Injection().IsMatch(text))
        {
            return ("prompt_injection", "The text tries to replace the instructions");
        }
        if (isOn("jailbreaking") && Jailbreak().IsMatch(text))
        {
            return ("jailbreaking", "The text tries to lift the rules");
        }
        if (isOn("data_leakage") && Secret().IsMatch(text))
        {
            return ("data_leakage", "The text holds what looks like a secret key");
        }
        if (isOn("privacy") && Card().EnumerateMatches(text) is var cards)
        {
            foreach (var card in cards)
            {
                if (IsCardNumber(text.AsSpan(card.Index, card.Length)))
                {
                    return ("privacy", "The text holds what looks like the number of a card");
                }
            }
        }
        return null;
    }

    /// <summary>Luhn's check, which one of ten random numbers passes.</summary>
    private static bool IsCardNumber(ReadOnlySpan<char> text)
    {
        var sum = 0;
        var digits = 0;
        for (var at = text.Length - 1; at >= 0; at--)
        {
            if (!char.IsAsciiDigit(text[at]))
            {
                continue;
            }
            var digit = text[at] - '0';
            sum += digits++ % 2 == 0 ? digit : digit > 4 ? (digit * 2) - 9 : digit * 2;
        }
        return digits is >= 13 and <= 19 && sum % 10 == 0;
    }

    [GeneratedRegex(
        @"\b(ignore|disregard|forget|override)\b.{0,40}\b(previous|prior|above|earlier|all|your|system)\b.{0,30}\b(instructions?|prompts?|rules|guidelines)\b|\b(reveal|show|print|repeat|output)\b.{0,30}\b(system|hidden|initial)\s+(prompt|instructions?|message)\b",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Injection();

    [GeneratedRegex(
        @"\b(do anything now|developer mode|jailbreak(ed)?|DAN mode|without any (restrictions|filters|limits)|pretend (that )?you have no (rules|restrictions|guidelines))\b",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Jailbreak();

    [GeneratedRegex(
        @"\b(sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|xox[baprs]-[A-Za-z0-9-]{10,})|-----BEGIN [A-Z ]*PRIVATE KEY-----",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Secret();

    [GeneratedRegex(@"[0-9](?:[ -]?[0-9]){12,18}", RegexOptions.NonBacktracking)]
    private static partial Regex Card();
}
