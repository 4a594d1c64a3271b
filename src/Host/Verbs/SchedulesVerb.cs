using System.CommandLine;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Host.Verbs;

/// <summary><c>stoa jobs schedules [pause|resume|run]</c>.</summary>
internal static class SchedulesVerb
{
    private const string Actor = "cli";

    private static readonly Argument<string> Schedule = new("schedule") { Description = "Name of the schedule" };

    public static Command Create(WithServices withServices)
    {
        var command = new Command("schedules", "Show the schedules with their last and next runs; pause, resume or run one")
        {
            Act(withServices, "pause", "Let slots pass without a run", async (acts, name, ct) =>
            {
                await acts.PauseAsync(name, Actor, ct);
                return $"{name} is paused";
            }),
            Act(withServices, "resume", "Run at its slots again, from the next one on", async (acts, name, ct) =>
            {
                await acts.ResumeAsync(name, Actor, ct);
                return $"{name} is resumed";
            }),
            Act(withServices, "run", "Run it once now", async (acts, name, ct) => $"{await acts.RunAsync(name, Actor, ct)} is added"),
        };
        command.SetAction((parsed, ct) => JobsVerb.RunAsync(parsed, withServices, async services =>
        {
            var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
            foreach (var row in await services.GetRequiredService<ScheduleStore>().ListAsync(ct))
            {
                var timetable = row.Schedule.Timetable;
                var when = timetable.Cron is { } cron ? $"{cron} {timetable.Zone.Id}" : $"every {timetable.Every:g}";
                var next = row.PausedAt is { } paused ? $"paused {JobsVerb.Date(paused)} by {row.PausedBy}"
                    : $"next {JobsVerb.Date(row.Next(now))}";
                await parsed.InvocationConfiguration.Output.WriteLineAsync(
                    $"{row.Schedule.Name}  {when}, {next}, last {JobsVerb.Date(row.LastFiredAt)} {row.LastJobId}".TrimEnd());
            }
        }, ct));
        return command;
    }

    private static Command Act(
        WithServices withServices, string name, string description, Func<ScheduleActs, string, CancellationToken, Task<string>> act)
    {
        var command = new Command(name, description) { Schedule };
        command.SetAction((parsed, ct) => JobsVerb.RunAsync(parsed, withServices, async services =>
        {
            var done = await act(services.GetRequiredService<ScheduleActs>(), parsed.GetRequiredValue(Schedule), ct);
            await parsed.InvocationConfiguration.Output.WriteLineAsync(done);
        }, ct));
        return command;
    }
}
