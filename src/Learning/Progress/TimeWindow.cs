namespace Stoa.Learning.Progress;

/// <summary>What a board looks at. On the wire <c>All time</c>, <c>This week</c> and <c>This month</c>.</summary>
internal enum TimeWindow
{
    AllTime,
    ThisWeek,
    ThisMonth,
}

internal static class TimeWindows
{
    /// <summary>Null for something else.</summary>
    public static TimeWindow? Read(string text) => text switch
    {
        "All time" => TimeWindow.AllTime,
        "This week" => TimeWindow.ThisWeek,
        "This month" => TimeWindow.ThisMonth,
        _ => null,
    };

    /// <summary>Its first day; weeks begin on Monday. Null where there is none.</summary>
    public static DateOnly? StartOf(this TimeWindow window, DateOnly today) => window switch
    {
        TimeWindow.AllTime => null,
        TimeWindow.ThisWeek => today.AddDays(-(((int)today.DayOfWeek + 6) % 7)),
        TimeWindow.ThisMonth => new DateOnly(today.Year, today.Month, 1),
    };
}
