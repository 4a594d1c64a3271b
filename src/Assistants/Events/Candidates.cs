using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Users;

namespace Stoa.Assistants.Events;

/// <summary>
/// Whose local hour it is: zones are few and users many, so the hour is reckoned for each zone that users have, and users are sought by it.
/// </summary>
internal sealed class Candidates(AssistantsDb db, EventUsers users, TimeProvider time)
{
    /// <summary>A page of users, by id. Nobody whose zone is not known is among them.</summary>
    public async Task<List<EventUser>> AtHourAsync(int hour, bool onWeekdays, string eventType, int limit, int offset, CancellationToken ct)
    {
        var zones = await ZonesAsync(
            local => local.Hour == hour && !(onWeekdays && local.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday), ct);
        var ids = await db.Users.Where(user => zones.Contains(user.Zone!) && (
                (eventType == EventTypes.TodoEmail && user.ReceivesTodoEmails)
                || (eventType == EventTypes.ReminderEmail && user.ReceivesReminders)
                || (eventType == EventTypes.DailyNotification && user.ReceivesPush)))
            .OrderBy(user => user.Id).Skip(offset).Take(limit).Select(user => user.Id).ToArrayAsync(ct);
        return await users.ListAsync(ids, ct);
    }

    /// <summary>Of those that users have, the ones whose clock shows such a time now.</summary>
    public async Task<string[]> ZonesAsync(Predicate<DateTime> isDue, CancellationToken ct)
    {
        // From one zone to the next by the index, however many users are in each.
        var zones = await db.Database.SqlQuery<string>($"""
            with recursive zones (zone) as (
              (select min(zone) from assistants.users)
              union all
              select (select min(u.zone) from assistants.users u where u.zone > z.zone) from zones z where z.zone is not null
            )
            select zone as "Value" from zones where zone is not null
            """).ToListAsync(ct);
        var now = time.GetUtcNow();
        return [.. zones.Where(zone => ClockOf(zone) is { IsKnown: true } clock && isDue(clock.At(now)))];
    }

    // As the column is made: the name, a bar, the offset.
    private static LocalTime ClockOf(string zone)
    {
        var bar = zone.LastIndexOf('|');
        return new(
            bar > 0 ? zone[..bar] : null,
            int.TryParse(zone.AsSpan(bar + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var offset)
            ? offset : null);
    }
}
