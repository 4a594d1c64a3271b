using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Data;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Platform.Jobs.Api;

/// <summary>What runs when. Schedules are declared by the modules; here they are looked at, paused, and run out of turn.</summary>
internal static class SchedulesApi
{
    public static void MapSchedules(this IEndpointRouteBuilder jobs)
    {
        jobs.MapGet("/schedules", ListAsync).RequireOperator().WithSummary("List the schedules with their last and next runs");
        jobs.MapPost("/schedules/{name}/pause", PauseAsync).RequireOperator()
            .WithSummary("Let slots pass without a run until it is resumed");
        jobs.MapPost("/schedules/{name}/resume", ResumeAsync).RequireOperator().WithSummary("Run at its slots again, from the next one on");
        jobs.MapPost("/schedules/{name}/run", RunAsync).RequireOperator().WithSummary("Run it once now");
    }

    internal static async Task<Ok<ScheduleList>> ListAsync(ScheduleStore schedules, TimeProvider time, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return TypedResults.Ok(new ScheduleList([.. (await schedules.ListAsync(ct)).Select(row => ScheduleView.Of(row, now))]));
    }

    internal static async Task<NoContent> PauseAsync(string name, Caller caller, ScheduleActs acts, CancellationToken ct)
    {
        await acts.PauseAsync(name, caller.Actor, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<NoContent> ResumeAsync(string name, Caller caller, ScheduleActs acts, CancellationToken ct)
    {
        await acts.ResumeAsync(name, caller.Actor, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Created<JobsApi.JobAnswer>> RunAsync(string name, Caller caller, ScheduleActs acts, CancellationToken ct)
    {
        var job = await acts.RunAsync(name, caller.Actor, ct);
        return TypedResults.Created($"/api/stoa/jobs/{job}", new JobsApi.JobAnswer(job));
    }

    internal sealed record ScheduleList(IReadOnlyList<ScheduleView> Items);

    /// <param name="Cron">Five fields in <paramref name="Zone"/>; null when it goes by <paramref name="EverySeconds"/>.</param>
    /// <param name="NextRunAt">Null while it is paused.</param>
    /// <param name="LastRunAt">When a job was last added by it, in its turn or out of it.</param>
    internal sealed record ScheduleView(
        string Name, string Kind, string? Cron, int? EverySeconds, string Zone, string Missed, int? ReachSeconds, string Overlap,
        DateTimeOffset? NextRunAt, DateTimeOffset? LastRunAt, Guid? LastJobId, DateTimeOffset? PausedAt, string? PausedBy)
    {
        public static ScheduleView Of(ScheduleRow row, DateTimeOffset now)
        {
            var schedule = row.Schedule;
            var timetable = schedule.Timetable;
            return new(
                schedule.Name, schedule.Kind, timetable.Cron, (int?)timetable.Every?.TotalSeconds, timetable.Zone.Id,
                EnumNames<MissedRuns>.Write(schedule.Missed), schedule.Missed is MissedRuns.All ? (int)schedule.Reach.TotalSeconds : null,
                EnumNames<Overlap>.Write(schedule.Overlap), row.Next(now), row.LastFiredAt, row.LastJobId, row.PausedAt, row.PausedBy);
        }
    }
}
