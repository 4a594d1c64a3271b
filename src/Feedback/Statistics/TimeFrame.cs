namespace Stoa.Feedback.Statistics;

/// <summary>Which contributions a board counts.</summary>
internal enum TimeFrame
{
    Day,
    Week,
    Month,
    Total,
}

internal static class TimeFrames
{
    /// <summary>Counted from here on: 24 hours back, or midnight in UTC 7 or 30 days ago; null when everything counts.</summary>
    public static DateTimeOffset? BaseDate(this TimeFrame frame, DateTimeOffset now) => frame switch
    {
        TimeFrame.Day => now.AddHours(-24),
        TimeFrame.Week => new(now.UtcDateTime.Date.AddDays(-7), TimeSpan.Zero),
        TimeFrame.Month => new(now.UtcDateTime.Date.AddDays(-30), TimeSpan.Zero),
        TimeFrame.Total => null,
    };
}
