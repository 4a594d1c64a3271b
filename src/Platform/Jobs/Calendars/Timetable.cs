using Quartz;

namespace Stoa.Platform.Jobs.Calendars;

/// <summary>
/// The slots of a schedule: by cron in a time zone, or every so often. Pure; an instant is a slot or it is not, whoever asks.
/// </summary>
public sealed record Timetable
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    private readonly CronExpression? expression;

    private Timetable(string? cron, TimeSpan? every, TimeZoneInfo zone, CronExpression? expression) =>
        (Cron, Every, Zone, this.expression) = (cron, every, zone, expression);

    public string? Cron { get; }

    public TimeSpan? Every { get; }

    public TimeZoneInfo Zone { get; }

    /// <summary>
    /// Five fields, as in crontab, in an IANA zone. A time of day that the clocks jump over is the moment after the jump; one that
    /// comes twice is its first coming; under an hour of <c>*</c> or <c>*/n</c> both comings count.
    /// </summary>
    /// <exception cref="ArgumentException">The expression or the zone is not valid, or never comes.</exception>
    public static Timetable ByCron(string cron, string zone)
    {
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) || !found.HasIanaId)
        {
            throw new ArgumentException($"'{zone}' is not an IANA time zone", nameof(zone));
        }
        if (!CronExpression.TryParse(cron, CronFormat.Unix, out var parsed))
        {
            throw new ArgumentException($"'{cron}' is not a cron expression of five fields", nameof(cron));
        }
        var expression = parsed.WithTimeZone(found);
        return expression.GetNextValidTimeAfter(DateTimeOffset.UnixEpoch) is null
            ? throw new ArgumentException($"'{cron}' never comes", nameof(cron))
            : new(cron, null, found, expression);
    }

    /// <summary>
    /// Whole seconds of elapsed time, counted from 1970 in UTC: every 4 hours is 00:00, 04:00, … in UTC, whoever starts when.
    /// </summary>
    /// <exception cref="ArgumentException">Not between a second and a year, or not whole seconds.</exception>
    public static Timetable ByInterval(TimeSpan every) =>
        every < Shortest || every > Longest || every.Ticks % TimeSpan.TicksPerSecond != 0
            ? throw new ArgumentException("An interval is whole seconds, between one second and a year", nameof(every))
            : new(null, every, TimeZoneInfo.Utc, null);

    /// <summary>The first slot after this instant; null when none will come.</summary>
    public DateTimeOffset? Next(DateTimeOffset after) => expression is null
        ? Interval(after.UtcTicks).AddTicks(Every!.Value.Ticks)
        : expression.GetNextValidTimeAfter(after)?.ToUniversalTime();

    /// <summary>The newest slot at or before this instant; null when there was none.</summary>
    public DateTimeOffset? Latest(DateTimeOffset at) =>
        Before(at.AddTicks(TimeSpan.TicksPerSecond - (at.UtcTicks % TimeSpan.TicksPerSecond)));

    /// <summary>The newest slot before this instant.</summary>
    public DateTimeOffset? Before(DateTimeOffset at) => expression is null
        ? Interval(at.UtcTicks - 1)
        : expression.GetPreviousValidTimeBefore(at)?.ToUniversalTime();

    /// <summary>The slot at or before this instant.</summary>
    private DateTimeOffset Interval(long ticks)
    {
        var since = ticks - DateTimeOffset.UnixEpoch.Ticks;
        return new(ticks - (since % Every!.Value.Ticks), TimeSpan.Zero);
    }
}
