using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Users;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Events;

/// <summary>
/// Each minute: whose hour has come? When it comes is written down for each user and task in UTC, so an hour that passed while nothing ran
/// is made up for on the same local day, and no change of the clocks makes one come twice.
/// </summary>
internal sealed record RunLocalHours
{
    public const string Kind = "assistants.local_hours";

    public const string EachMinute = "* * * * *";

    public static readonly JobRules Rules =
        ScheduleRules.Default with { MaxAttempts = 3, MaxRunning = 1, Timeout = TimeSpan.FromMinutes(10) };
}

/// <summary>Something that happens once on each local day.</summary>
internal sealed record DailyTask(string Name, TimeOnly At, Func<IReadOnlyList<EventUser>, CancellationToken, Task> Run);

internal sealed class RunLocalHoursHandler(
    AssistantsDb db, EventLaunches launches, EventUsers users,
    IOptions<EventsOptions> options, TimeProvider time) : IJobHandler<RunLocalHours>
{
    private const int Page = 500;

    public async Task RunAsync(RunLocalHours job, JobContext context, CancellationToken ct)
    {
        var tasks = Tasks();
        while (await ReckonAsync(tasks, ct) == Page)
        {
            ct.ThrowIfCancellationRequested();
        }
        while (await RunDueAsync(tasks, ct) == Page)
        {
            ct.ThrowIfCancellationRequested();
        }
    }

    private DailyTask[] Tasks() =>
    [
        new(EventTypes.TodoEmail, new(options.Value.TodoEmailHour, 0), launches.TodoEmailsAsync),
        new(EventTypes.DailyNotification, new(options.Value.NotificationHour, 0), launches.DailyNotificationsAsync),
        new(EventTypes.ReminderEmail, new(options.Value.ReminderHour, 0), (users, ct) =>
            options.Value.SendReminders ? launches.ReminderEmailsAsync(users, ct) : Task.CompletedTask),
    ];

    /// <summary>
    /// Users who are new here or whose zone has changed. A new one's turn comes next time; for the others the day's turn is looked at once
    /// more by the new clock, and who was told already today is not told again.
    /// </summary>
    private async Task<int> ReckonAsync(DailyTask[] tasks, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var stale = await db.Database.SqlQuery<Clock>($"""
            select id as user_id, zone, timezone_name, timezone_offset from assistants.users
            where zone is distinct from scheduled_zone order by id limit {Page} for update skip locked
            """).ToListAsync(ct);
        var now = time.GetUtcNow();
        var rows = (
            from clock in stale
            where clock.LocalTime.IsKnown
            from task in tasks
            select (clock.UserId, task.Name, Next: clock.LocalTime.Next(task.At, now), Today: TodayAt(clock.LocalTime, task.At, now)))
            .ToList();
        string[] ids = [.. stale.Select(clock => clock.UserId)];
        string[] lost = [.. stale.Where(clock => !clock.LocalTime.IsKnown).Select(clock => clock.UserId)];
        await db.Database.ExecuteSqlAsync($"delete from assistants.user_schedules where user_id = any ({lost})", ct);
        await db.Database.ExecuteSqlAsync($"""
            insert into assistants.user_schedules as old (user_id, task, next_due_at)
            select r.user_id, r.task, r.next from unnest(
              {rows.Select(row => row.UserId).ToArray()}, {rows.Select(row => row.Name).ToArray()}, {rows.Select(row => row.Next).ToArray()}
            ) as r (user_id, task, next)
            on conflict (user_id, task) do nothing
            """, ct);
        await db.Database.ExecuteSqlAsync($"""
            update assistants.user_schedules old set next_due_at = r.today
            from unnest(
              {rows.Select(row => row.UserId).ToArray()}, {rows.Select(row => row.Name).ToArray()},
                {rows.Select(row => row.Today).ToArray()}
            ) as r (user_id, task, today), assistants.users u
            where old.user_id = r.user_id and old.task = r.task and u.id = r.user_id and u.scheduled_zone is not null
            """, ct);
        await db.Database.ExecuteSqlAsync($"update assistants.users set scheduled_zone = zone where id = any ({ids})", ct);
        await transaction.CommitAsync(ct);
        return stale.Count;
    }

    private async Task<int> RunDueAsync(DailyTask[] tasks, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var now = time.GetUtcNow();
        var due = await db.Database.SqlQuery<Due>($"""
            select s.user_id, s.task, u.zone, u.timezone_name, u.timezone_offset
            from assistants.user_schedules s join assistants.users u on u.id = s.user_id
            where s.next_due_at <= {now} order by s.next_due_at limit {Page} for update of s skip locked
            """).ToListAsync(ct);
        var all = (await users.ListAsync([.. due.Select(row => row.UserId).Distinct(StringComparer.Ordinal)], ct))
            .ToDictionary(user => user.Id, StringComparer.Ordinal);
        foreach (var task in tasks)
        {
            // A turn of an earlier day is over; what of today has come is run, however late.
            var turns = due.Where(row => row.Task == task.Name && TodayAt(row.LocalTime, task.At, now) <= now)
                .Select(row => all[row.UserId]).ToList();
            await task.Run(turns, ct);
        }
        var next = due.ConvertAll(row => Array.Find(tasks, task => task.Name == row.Task) is { } task
            ? row.LocalTime.Next(task.At, now) : now.AddDays(1));
        await db.Database.ExecuteSqlAsync($"""
            update assistants.user_schedules old set next_due_at = r.next
            from unnest({due.Select(row => row.UserId).ToArray()}, {due.Select(row => row.Task).ToArray()},
              {next.ToArray()}) as r (user_id, task, next)
            where old.user_id = r.user_id and old.task = r.task
            """, ct);
        await launches.SaveAsync(ct);
        await transaction.CommitAsync(ct);
        return due.Count;
    }

    private static DateTimeOffset TodayAt(LocalTime clock, TimeOnly hour, DateTimeOffset now) =>
        clock.Next(hour, clock.StartOf(clock.DateAt(now)).AddTicks(-1));

    private record Clock(string UserId, string? Zone, string? TimezoneName, int? TimezoneOffset)
    {
        public LocalTime LocalTime => new(TimezoneName, TimezoneOffset);
    }

    private sealed record Due(string UserId, string Task, string? Zone, string? TimezoneName, int? TimezoneOffset)
        : Clock(UserId, Zone, TimezoneName, TimezoneOffset);
}
