using Microsoft.EntityFrameworkCore;

namespace Stoa.Assistants.Events;

/// <summary>Where users stand with recording their conversations.</summary>
/// <param name="IsRemindedTwice">Yesterday and the day before.</param>
internal sealed record ReminderStanding(string UserId, bool HasMinutesToday, bool IsRemindedTwice);

internal sealed class Reminders(AssistantsDb db)
{
    /// <summary>The task that reminders are about.</summary>
    public const string MinutesTask = "prepare_meeting_minutes";

    /// <summary>Those of them whose newest minutes were begun within three days.</summary>
    public Task<List<ReminderStanding>> ReadAsync(IReadOnlyList<UserDay> days, CancellationToken ct)
    {
        string[] ids = [.. days.Select(day => day.User.Id)];
        DateTimeOffset[] starts = [.. days.Select(day => day.Start)];
        DateTimeOffset[] yesterdays = [.. days.Select(day => day.User.LocalTime.StartOf(day.Date.AddDays(-1)))];
        DateTimeOffset[] earliest = [.. days.Select(day => day.User.LocalTime.StartOf(day.Date.AddDays(-2)))];
        DateTimeOffset[] active = [.. days.Select(day => day.Start.AddDays(-3))];
        return db.Database.SqlQuery<ReminderStanding>($"""
            select d.user_id, newest.started_at >= d.day_start as has_minutes_today,
              exists (select from assistants.events v where v.user_id = d.user_id and v.event_type = {EventTypes.ReminderEmail}
                and v.created_at >= d.yesterday and v.created_at < d.day_start)
              and exists (select from assistants.events v where v.user_id = d.user_id and v.event_type = {EventTypes.ReminderEmail}
                and v.created_at >= d.earliest and v.created_at < d.yesterday) as is_reminded_twice
            from unnest({ids}, {starts}, {yesterdays}, {earliest}, {active}) as d (user_id, day_start, yesterday, earliest, active)
            join lateral (
              select e.started_at from assistants.task_executions e join assistants.user_tasks ut on ut.id = e.user_task_id
              join assistants.tasks t on t.id = ut.task_id
              where e.user_id = d.user_id and e.deleted_at is null and e.started_at >= d.active and t.name_for_system = {MinutesTask}
              order by e.started_at desc limit 1
            ) newest on true
            """).ToListAsync(ct);
    }
}
