using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Push;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Events;

/// <summary>Suggestions that users have accepted to be reminded of.</summary>
internal sealed class CalendarReminders(AssistantsDb db, Pusher pusher)
{
    private static readonly TimeSpan Days = TimeSpan.FromDays(30);

    /// <summary>Those of this span, each reminded of once.</summary>
    public async Task<List<int>> LaunchAsync(DateTimeOffset since, DateTimeOffset until, int limit, int offset, CancellationToken ct)
    {
        var due = await db.Database.SqlQuery<Reminder>($"""
            select s.id, s.user_id, u.organization_id, u.person_id
            from assistants.calendar_suggestions s
            join assistants.users u on u.id = s.user_id
            where s.is_accepted and s.reminder_date >= {since} and s.reminder_date < {until}
            order by s.reminder_date, s.id limit {limit} offset {offset}
            """).ToListAsync(ct);
        foreach (var reminder in pusher.IsConfigured ? due : [])
        {
            db.Enqueue(
                new WriteCalendarNotification(reminder.UserId, reminder.Id, GivenId: null),
                new()
                {
                    Owner = JobOwners.Of(reminder.UserId, reminder.OrganizationId, reminder.PersonId),
                    UniqueKey = $"suggestion:{reminder.Id}", UniqueFor = Days,
                    UniqueIn = [JobState.Succeeded],
                });
        }
        await db.SaveChangesAsync(ct);
        return due.ConvertAll(reminder => reminder.Id);
    }

    private sealed record Reminder(int Id, string UserId, Guid OrganizationId, Guid? PersonId);
}
