using System.Globalization;
using System.Text;

namespace Stoa.Learning.Notifications;

/// <summary>A span of time: messages by school and calls by model, most first.</summary>
internal sealed record UsagePeriod(
    string Title, IReadOnlyList<(string Name, long Count)> Schools, IReadOnlyList<(string Name, long Count)> Models);

/// <summary>The figures as one message: a section for each span, with a table of the first five and one line for all others.</summary>
internal static class UsageText
{
    private const int Shown = 5, SchoolWidth = 30, ModelWidth = 50, CountWidth = 8;

    public static string Of(IEnumerable<UsagePeriod> periods) => string.Join("\n\n", periods.Select(SectionOf));

    private static string SectionOf(UsagePeriod period)
    {
        var text = new StringBuilder(string.Create(
            CultureInfo.InvariantCulture, $"*{period.Title}*\nTotal messages: *{period.Schools.Sum(school => school.Count):N0}*\n"));
        AppendTable(text, "Organization", SchoolWidth, "Messages", period.Schools);
        if (period.Models.Count > 0)
        {
            text.Append('\n');
            AppendTable(text, "Model", ModelWidth, "Calls", period.Models);
        }
        return text.ToString();
    }

    private static void AppendTable(
        StringBuilder text, string title, int width, string unit, IReadOnlyList<(string Name, long Count)> lines)
    {
        if (lines.Count == 0)
        {
            text.Append("No usage data");
            return;
        }
        text.Append("```\n");
        AppendLine(text, title, width, unit);
        text.Append('-', width).Append("-|-").Append('-', CountWidth).Append('\n');
        foreach (var (name, count) in lines.Take(Shown))
        {
            AppendLine(text, Cut(name, width), width, Number(count));
        }
        if (lines.Count > Shown)
        {
            var rest = string.Create(CultureInfo.InvariantCulture, $"+{lines.Count - Shown} more");
            AppendLine(text, rest, width, Number(lines.Skip(Shown).Sum(line => line.Count)));
        }
        text.Append("```");
    }

    private static void AppendLine(StringBuilder text, string name, int width, string count) =>
        text.Append(Platform.Notifications.Slack.Plain(name.PadRight(width))).Append(" | ").Append(count.PadLeft(CountWidth)).Append('\n');

    // A fence in a name would end the table.
    private static string Cut(string name, int width)
    {
        var plain = name.Replace('`', '\'').ReplaceLineEndings(" ");
        return plain.Length > width - 3 ? $"{plain[..(width - 5)]}.." : plain;
    }

    private static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
