using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Events;
using Stoa.Assistants.Sessions;
using Stoa.Assistants.Users;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.HomeChats;

/// <summary>Prepares the chats that greet users in a week: a session, and the job that writes what the assistant says first.</summary>
internal sealed class HomeChatStore(AssistantsDb db, SessionStore sessions, Candidates candidates, TimeProvider time)
{
    private const int Hour = 22;

    private const int Page = 200;

    /// <summary>
    /// A page of the users for whom it is Sunday between 22:00 and 23:00; each gets the chat of the week that begins, if he has it not yet.
    /// Whoever's zone is not known has no Sunday evening.
    /// </summary>
    /// <returns>The whole page, so that an offset into it stays what it is.</returns>
    public async Task<List<string>> PrepareAsync(int most, int offset, CancellationToken ct)
    {
        var zones = await candidates.ZonesAsync(local => local is { DayOfWeek: DayOfWeek.Sunday, Hour: Hour }, ct);
        var users = zones.Length == 0 ? [] : await db.Users.AsNoTracking().Where(user => zones.Contains(user.Zone!))
            .OrderBy(user => user.Id).Skip(offset).Take(most).ToListAsync(ct);
        var now = time.GetUtcNow();
        await PrepareAsync(users.ConvertAll(user => (user, WeekOf(user, now).AddDays(7))), ct);
        return users.ConvertAll(user => user.Id);
    }

    /// <summary>Everybody's whose week begins: from that hour on, and on Monday what an outage has left.</summary>
    public async Task PrepareAllAsync(CancellationToken ct)
    {
        var zones = await candidates.ZonesAsync(IsWeekBeginning, ct);
        for (var last = ""; zones.Length > 0;)
        {
            var page = await db.Users.FromSql($"""
                select * from assistants.users
                  where zone = any ({zones}) and id > {last} and terms_accepted_at is not null order by id limit {Page}
                """).AsNoTracking().ToListAsync(ct);
            var now = time.GetUtcNow();
            await PrepareAsync(page.ConvertAll(user => (user, BeginningWeekOf(user, now))), ct);
            db.ChangeTracker.Clear();
            if (page.Count < Page)
            {
                return;
            }
            last = page[^1].Id;
        }
    }

    /// <summary>This week's chat, or the next week's where this week's has begun. What is there already stays.</summary>
    public async Task PrepareAsync(UserRow user, CancellationToken ct)
    {
        var week = WeekOf(user, time.GetUtcNow());
        var hasBegun = await db.HomeChats.AnyAsync(chat => chat.UserId == user.Id && chat.Week == week && chat.StartedAt != null, ct);
        await PrepareAsync([(user, hasBegun ? week.AddDays(7) : week)], ct);
    }

    private async Task PrepareAsync(List<(UserRow User, DateOnly Week)> wanted, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Two that prepare at once would both find nothing there.
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended('assistants.home_chats', 0))", ct);
        var ids = wanted.ConvertAll(one => one.User.Id);
        var weeks = wanted.ConvertAll(one => one.Week).Distinct().ToList();
        var there = (await db.HomeChats.Where(chat => ids.Contains(chat.UserId) && weeks.Contains(chat.Week))
            .Select(chat => new { chat.UserId, chat.Week }).ToListAsync(ct))
            .Select(chat => (chat.UserId, chat.Week)).ToHashSet();
        var made = wanted.FindAll(one => !there.Contains((one.User.Id, one.Week)))
            .ConvertAll(one => (one.User, Chat: Add(one.User, one.Week)));
        await db.SaveChangesAsync(ct);
        foreach (var (user, chat) in made)
        {
            db.Enqueue(new GreetUser(chat.Id), new() { Owner = JobOwners.Of(user) });
        }
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    private HomeChatRow Add(UserRow user, DateOnly week)
    {
        var session = sessions.Add(user, "webapp", SessionMode.Chat);
        var chat = new HomeChatRow { UserId = user.Id, SessionId = session.Id, Week = week, CreatedAt = session.CreatedAt };
        db.Add(chat);
        return chat;
    }

    private static bool IsWeekBeginning(DateTime local) => local.AddHours(24 - Hour).DayOfWeek == DayOfWeek.Monday;

    private static DateOnly BeginningWeekOf(UserRow user, DateTimeOffset now) =>
        DateOnly.FromDateTime(new LocalTime(user.TimezoneName, user.TimezoneOffset).At(now).AddHours(24 - Hour));

    private static DateOnly WeekOf(UserRow user, DateTimeOffset now)
    {
        var today = new LocalTime(user.TimezoneName, user.TimezoneOffset).DateAt(now);
        return today.AddDays(-(((int)today.DayOfWeek + 6) % 7));
    }
}
