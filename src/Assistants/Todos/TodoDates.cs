using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Stoa.Assistants.Todos;

/// <summary>Days of to-dos, reckoned from the user's own today.</summary>
internal static partial class TodoDates
{
    public const int MostYearsAhead = 5;
    public const int MostDaysMoved = 180;

    private const string Iso = "yyyy-MM-dd";

    /// <summary>
    /// As models write days: <c>2026-11-30</c>, and the relative forms that they were told not to use. Null for everything else.
    /// </summary>
    public static DateOnly? Read(string text, DateOnly today)
    {
        var words = text.Trim().ToLowerInvariant();
        if (DateOnly.TryParseExact(words, Iso, CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
        {
            return date;
        }
        return words switch
        {
            "today" or "tonight" => today,
            "tomorrow" => Later(today, days: 1),
            "the day after tomorrow" or "day after tomorrow" => Later(today, days: 2),
            "next week" => Later(today, days: 7),
            "next month" => Later(today, months: 1),
            "next year" => Later(today, months: 12),
            "end of the week" or "end of week" => Coming(DayOfWeek.Friday, today.AddDays(-1)),
            "end of the month" or "end of month" => new(today.Year, today.Month, DateTime.DaysInMonth(today.Year, today.Month)),
            _ => ReadCount(words, today) ?? ReadWeekday(words, today),
        };
    }

    /// <summary>What has passed is due today; what lies too far ahead is a mistake: null.</summary>
    public static DateOnly? Due(DateOnly date, DateOnly today) =>
        date > today.AddYears(MostYearsAhead) ? null : date < today ? today : date;

    /// <summary>A to-do is moved to a day that is yet to come, and not out of sight.</summary>
    public static bool CanMoveTo(DateOnly date, DateOnly today) => date > today && date <= today.AddDays(MostDaysMoved);

    public static DateOnly NextWeekday(DateOnly today)
    {
        var date = today.AddDays(1);
        while (IsWeekend(date.DayOfWeek))
        {
            date = date.AddDays(1);
        }
        return date;
    }

    public static bool IsWeekend(DayOfWeek day) => day is DayOfWeek.Saturday or DayOfWeek.Sunday;

    /// <summary>The same for what is the same to a reader: once in an execution.</summary>
    public static string KeyOf(string description, DateOnly due)
    {
        var plain = Blanks().Replace(description.Trim(), " ").ToLowerInvariant();
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{plain}\n{due:yyyy-MM-dd}"))));
    }

    private static DateOnly? ReadCount(string words, DateOnly today)
    {
        if (InSoMany().Match(words) is not { Success: true } match)
        {
            return null;
        }
        var number = match.Groups["number"].Value is "a" or "an" or "one" ? 1
            : int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture);
        return match.Groups["unit"].Value switch
        {
            "day" => Later(today, days: number),
            "week" => Later(today, days: 7 * number),
            "month" => Later(today, months: number),
            _ => Later(today, months: 12 * number),
        };
    }

    private static DateOnly? ReadWeekday(string words, DateOnly today)
    {
        foreach (var prefix in (string[])["next ", "this ", "on ", "by ", "coming ", ""])
        {
            if (words.StartsWith(prefix, StringComparison.Ordinal)
                && Enum.TryParse<DayOfWeek>(words[prefix.Length..], ignoreCase: true, out var day) && char.IsLetter(words[^1]))
            {
                return Coming(day, today);
            }
        }
        return null;
    }

    /// <summary>The first such day after that one.</summary>
    private static DateOnly Coming(DayOfWeek day, DateOnly after) => after.AddDays(((day - after.DayOfWeek + 6) % 7) + 1);

    private static DateOnly Later(DateOnly today, int days = 0, int months = 0) => today.AddMonths(months).AddDays(days);

    [GeneratedRegex(
        @"^in (?<number>an?|one|\d{1,3}) (?<unit>day|week|month|year)s?$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex InSoMany();

    [GeneratedRegex(@"\s+", RegexOptions.NonBacktracking)]
    private static partial Regex Blanks();
}
