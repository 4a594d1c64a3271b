using Stoa.Platform.Jobs.Calendars;

namespace Stoa.JobsRig;

/// <summary>A node that only keeps the calendar: a schedule with a slot each second, whose jobs nobody runs.</summary>
internal static class CalendarWorker
{
    public const string Schedule = "rig.second";

    public static async Task RunAsync(string database, string[] settings)
    {
        await using var node = await NodeHost.StartAsync(
            database,
            settings,
            services =>
            {
                services.AddRigJobs(Mutant.None);
                services.AddCalendars(runs: true);
                services.AddSchedule(Schedule, new Slot(0), TimeSpan.FromSeconds(1), MissedRuns.All, Overlap.Allow);
            },
            runs: false);
        // Nobody's orphan: when whoever started us is gone, so are we.
        await Console.In.ReadToEndAsync();
    }
}
