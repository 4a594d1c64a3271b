using System.Globalization;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Components;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Platform.Pages;

namespace Stoa.Platform.Jobs.Pages;

/// <summary>Jobs and schedules in words.</summary>
internal static class JobText
{
    public static string ListOf(string kind) => $"{JobPages.Path}?kind={Uri.EscapeDataString(kind)}";

    /// <summary>A name of several words, which may be broken between them.</summary>
    public static MarkupString Breakable(string name) =>
        new(HtmlEncoder.Default.Encode(name).Replace(".", ".<wbr>", StringComparison.Ordinal)
            .Replace("_", "_<wbr>", StringComparison.Ordinal));

    public static string When(Timetable timetable) => timetable.Cron is { } cron
        ? $"{cron} ({timetable.Zone.Id})"
        : $"every {Length(timetable.Every!.Value)}";

    public static string Policy(Schedule schedule) => $"{Missed(schedule)}, {Overlapping(schedule.Overlap)}";

    public static string Progress(JobRow job)
    {
        if (job.ProgressDone is not { } done)
        {
            return "";
        }
        var far = job.ProgressTotal is { } total ? $"{PageText.Number(done)} of {PageText.Number(total)}" : PageText.Number(done);
        return job.ProgressNote is null ? far : $"{far}: {job.ProgressNote}";
    }

    public static string Name(JobPriority priority) => EnumNames<JobPriority>.Write(priority);

    public static string Name(JobState state) => EnumNames<JobState>.Write(state);

    private static string Length(TimeSpan time) => time switch
    {
        _ when time.Ticks % TimeSpan.TicksPerDay == 0 => PageText.Count((long)time.TotalDays, "day"),
        _ when time.Ticks % TimeSpan.TicksPerHour == 0 => PageText.Count((long)time.TotalHours, "hour"),
        _ when time.Ticks % TimeSpan.TicksPerMinute == 0 => PageText.Count((long)time.TotalMinutes, "minute"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:N0} seconds"),
    };

    private static string Missed(Schedule schedule) => schedule.Missed switch
    {
        MissedRuns.Skip => "missed runs are skipped",
        MissedRuns.Once => "missed runs are made up for once",
        MissedRuns.All => $"missed runs of {Length(schedule.Reach)} are made up for",
    };

    private static string Overlapping(Overlap overlap) => overlap switch
    {
        Overlap.Skip => "no overlap",
        Overlap.BufferOne => "one waits",
        Overlap.CancelPrevious => "cancels the one before",
        Overlap.Allow => "may overlap",
    };
}
