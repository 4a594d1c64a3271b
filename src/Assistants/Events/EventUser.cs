using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Users;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Events;

/// <summary>Whom something is told: what has to be known of him for that.</summary>
internal sealed record EventUser
{
    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public Guid? PersonId { get; init; }

    public required string Name { get; init; }

    public required string Email { get; init; }

    public required string LanguageCode { get; init; }

    public string? CompanyDescription { get; init; }

    public string? Goal { get; init; }

    public int? TimezoneOffset { get; init; }

    public string? TimezoneName { get; init; }

    public bool ReceivesTodoEmails { get; init; }

    public bool ReceivesReminders { get; init; }

    public bool ReceivesPush { get; init; }

    public LocalTime LocalTime => new(TimezoneName, TimezoneOffset);

    public JobOwner Owner => JobOwners.Of(Id, OrganizationId, PersonId);

    /// <summary>Whether he wants to be told such things.</summary>
    public bool Wants(string eventType) => EventTypes.IsNotification(eventType) ? ReceivesPush
        : eventType == EventTypes.TodoEmail ? ReceivesTodoEmails
        : eventType != EventTypes.ReminderEmail || ReceivesReminders;

    public Material Introduction(DateTimeOffset now) => new Material()
        .Add("now", LocalTime.At(now).ToString("dddd dd MMMM yyyy, HH:mm", CultureInfo.InvariantCulture))
        .Add("language", LanguageCode)
        .Add("user_name", Name)
        .Add("company", CompanyDescription)
        .Add("goal", Goal);
}

internal sealed class EventUsers(AssistantsDb db)
{
    public async Task<EventUser?> FindAsync(string id, CancellationToken ct) => (await ListAsync([id], ct)).FirstOrDefault();

    /// <summary>Those of them that there are.</summary>
    public Task<List<EventUser>> ListAsync(string[] ids, CancellationToken ct) => db.Database.SqlQuery<EventUser>($"""
        select id, organization_id, person_id, name, email, language_code, company_description, goal, timezone_offset, timezone_name,
          receives_todo_emails, receives_reminders, receives_push
        from assistants.users where id = any ({ids}) order by id
        """).ToListAsync(ct);
}

/// <summary>A user's local day as it is now, for statements over many users.</summary>
internal sealed record UserDay(EventUser User, DateOnly Date, DateTimeOffset Start, DateTimeOffset End)
{
    public static UserDay Of(EventUser user, DateTimeOffset now)
    {
        var date = user.LocalTime.DateAt(now);
        return new(user, date, user.LocalTime.StartOf(date), user.LocalTime.StartOf(date.AddDays(1)));
    }
}
