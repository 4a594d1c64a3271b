namespace Stoa.Assistants.Users;

/// <summary>
/// A user's own clock: his IANA zone where it is known, else the offset that his client last sent (minutes, UTC less local), else UTC.
/// Every "today", "overdue" and "at eight" of the module is reckoned here.
/// </summary>
internal readonly struct LocalTime
{
    private readonly TimeZoneInfo? zone;
    private readonly int offset;

    public LocalTime(string? timezoneName, int? timezoneOffset)
    {
        IsKnown = timezoneOffset is not null;
        offset = timezoneOffset ?? 0;
        if (timezoneName is not null && TimeZoneInfo.TryFindSystemTimeZoneById(timezoneName, out zone))
        {
            IsKnown = true;
        }
    }

    /// <summary>False: taken to be UTC, which is good enough for lists but for nothing that happens at an hour of the day.</summary>
    public bool IsKnown { get; }

    /// <summary>The wall clock at an instant.</summary>
    public DateTime At(DateTimeOffset instant) => zone is null
        ? instant.UtcDateTime - TimeSpan.FromMinutes(offset)
        : TimeZoneInfo.ConvertTime(instant, zone).DateTime;

    /// <summary>As the API shows a time: what the wall clock showed, and how far that is from UTC.</summary>
    public DateTimeOffset? Shown(DateTimeOffset? instant) => instant is { } at
        ? new(DateTime.SpecifyKind(At(at), DateTimeKind.Unspecified), At(at) - at.UtcDateTime)
        : null;

    public DateOnly DateAt(DateTimeOffset instant) => DateOnly.FromDateTime(At(instant));

    /// <summary>
    /// The first instant after <paramref name="after"/> at which the wall clock shows this hour. An hour that a change of the clocks leaves
    /// out is taken right behind the gap; one that comes twice, the first time.
    /// </summary>
    public DateTimeOffset Next(TimeOnly hour, DateTimeOffset after)
    {
        for (var date = DateAt(after); ; date = date.AddDays(1))
        {
            var instant = InstantOf(date.ToDateTime(hour));
            if (instant > after)
            {
                return instant;
            }
        }
    }

    /// <summary>Midnight at which a local date begins.</summary>
    public DateTimeOffset StartOf(DateOnly date) => InstantOf(date.ToDateTime(TimeOnly.MinValue));

    private DateTimeOffset InstantOf(DateTime local)
    {
        if (zone is null)
        {
            return new(local + TimeSpan.FromMinutes(offset), TimeSpan.Zero);
        }
        while (zone.IsInvalidTime(local))
        {
            local += TimeSpan.FromMinutes(15);
        }
        var utcOffset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, utcOffset).ToUniversalTime();
    }
}
