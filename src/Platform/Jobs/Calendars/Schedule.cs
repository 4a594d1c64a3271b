namespace Stoa.Platform.Jobs.Calendars;

/// <summary>What becomes of slots in which nobody could fire: all hosts were down, or the database was.</summary>
public enum MissedRuns
{
    /// <summary>They are gone. A slot counts as missed when it is late by more than <c>Calendars:LateSeconds</c>.</summary>
    Skip,

    /// <summary>A gap of any length is made up for by one run.</summary>
    Once,

    /// <summary>Each slot that lies within the reach is run, oldest first. Needs <see cref="Overlap.Allow"/>.</summary>
    All,
}

/// <summary>What a slot does while the run of an earlier one is not over.</summary>
public enum Overlap
{
    /// <summary>It passes without a run.</summary>
    Skip,

    /// <summary>One run waits until the earlier one is over; further slots add none.</summary>
    BufferOne,

    /// <summary>The earlier run is cancelled.</summary>
    CancelPrevious,

    /// <summary>Both run.</summary>
    Allow,
}

/// <summary>A declared schedule: a job that is enqueued at each slot of a timetable, once in the cluster.</summary>
/// <param name="Name">Stable and unique: <c>platform.tidy_jobs</c>.</param>
/// <param name="Arguments">The job as JSON, as its kind writes it.</param>
/// <param name="Reach">With <see cref="MissedRuns.All"/>: slots that are older are not made up for.</param>
public sealed record Schedule(
    string Name, string Kind, string Arguments, Timetable Timetable, MissedRuns Missed, TimeSpan Reach, Overlap Overlap)
{
    /// <summary>A longer gap is made up for by its newest slots: a backlog without end would help nobody.</summary>
    private const int MostAtOnce = 1_000;

    /// <summary>
    /// The slots to run now, oldest first, when <paramref name="last"/> was the newest one decided on. Slots between it and now that
    /// are not among them are missed for good.
    /// </summary>
    internal IReadOnlyList<DateTimeOffset> Due(DateTimeOffset last, DateTimeOffset now, TimeSpan late)
    {
        if (Timetable.Latest(now) is not { } newest || newest <= last)
        {
            return [];
        }
        return Missed switch
        {
            MissedRuns.Skip => now - newest <= late ? [newest] : [],
            MissedRuns.Once => [newest],
            MissedRuns.All => [.. Backwards(newest, Max(last, now - Reach)).Take(MostAtOnce).Reverse()],
        };
    }

    private IEnumerable<DateTimeOffset> Backwards(DateTimeOffset newest, DateTimeOffset after)
    {
        for (DateTimeOffset? slot = newest; slot > after; slot = Timetable.Before(slot.Value))
        {
            yield return slot.Value;
        }
    }

    private static DateTimeOffset Max(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
