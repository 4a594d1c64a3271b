using System.ComponentModel.DataAnnotations;

namespace Stoa.Platform.Jobs.Calendars;

/// <summary>Section <c>Calendars</c>.</summary>
public sealed class CalendarOptions
{
    public const string Section = "Calendars";

    /// <summary>How often a worker says that it is alive; after two silent intervals another takes over its schedules.</summary>
    [Range(1, 300)]
    public int CheckInSeconds { get; set; } = 5;

    /// <summary>A slot that is later than this counts as missed.</summary>
    [Range(5, 3_600)]
    public int LateSeconds { get; set; } = 60;
}
