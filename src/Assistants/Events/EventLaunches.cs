using Stoa.Assistants.Mail;
using Stoa.Assistants.Push;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Events;

/// <summary>
/// Sets going what these users are to be told today: a job for each who has something to be told. In the caller's unit of work; saved by
/// <see cref="SaveAsync"/>.
/// </summary>
internal sealed class EventLaunches(
    AssistantsDb db, TodoListStore todos, Reminders reminders, Mailer mailer, Pusher pusher, TimeProvider time)
{
    public async Task TodoEmailsAsync(IEnumerable<EventUser> users, CancellationToken ct)
    {
        var days = DaysOf(users, EventTypes.TodoEmail).Where(day => IsWeekday(day.Date)).ToList();
        if (days.Count == 0 || !mailer.IsConfigured)
        {
            return;
        }
        var due = (await todos.WithListsAsync(days, ct)).ToHashSet(StringComparer.Ordinal);
        foreach (var day in days.Where(day => due.Contains(day.User.Id)))
        {
            db.Enqueue(new WriteTodoEmail(day.User.Id, day.Date, GivenId: null), EventJobs.Once(day.User, EventTypes.TodoEmail, day.Date));
        }
    }

    public async Task DailyNotificationsAsync(IEnumerable<EventUser> users, CancellationToken ct)
    {
        var days = DaysOf(users, EventTypes.DailyNotification);
        if (days.Count == 0 || !pusher.IsConfigured)
        {
            return;
        }
        var due = (await todos.WithNewAsync(days, ct)).ToHashSet(StringComparer.Ordinal);
        foreach (var day in days.Where(day => due.Contains(day.User.Id)))
        {
            db.Enqueue(
                new WriteDailyNotification(day.User.Id, day.Date, GivenId: null),
                EventJobs.Once(day.User, EventTypes.DailyNotification, day.Date));
        }
    }

    public async Task ReminderEmailsAsync(IEnumerable<EventUser> users, CancellationToken ct)
    {
        var days = DaysOf(users, EventTypes.ReminderEmail);
        if (days.Count == 0 || !mailer.IsConfigured)
        {
            return;
        }
        var standings = (await reminders.ReadAsync(days, ct)).ToDictionary(standing => standing.UserId, StringComparer.Ordinal);
        foreach (var day in days)
        {
            if (standings.GetValueOrDefault(day.User.Id) is not { HasMinutesToday: false } standing)
            {
                continue;
            }
            var options = EventJobs.Once(day.User, EventTypes.ReminderEmail, day.Date);
            if (standing.IsRemindedTwice)
            {
                // Somebody should ask him rather than write a third time.
                db.Enqueue(
                    new SendOfficeMail(Mailbox.Admin, "A user does not come back",
                        $"User {day.User.Id} was reminded on two days and has recorded nothing since."),
                    new() { UniqueKey = options.UniqueKey, UniqueFor = options.UniqueFor });
            }
            else
            {
                db.Enqueue(new WriteReminderEmail(day.User.Id, day.Date, GivenId: null), options);
            }
        }
    }

    /// <summary>Committed when it returns, unless the caller has a transaction of his own.</summary>
    public Task SaveAsync(CancellationToken ct) => db.SaveChangesAsync(ct);

    private List<UserDay> DaysOf(IEnumerable<EventUser> users, string type)
    {
        var now = time.GetUtcNow();
        return [.. users.Where(user => user.LocalTime.IsKnown && user.Wants(type)).Select(user => UserDay.Of(user, now))];
    }

    private static bool IsWeekday(DateOnly date) => date.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday);
}
