using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;

namespace Stoa.Assistants.Events;

/// <summary>Reminds a user in the evening that he has recorded no conversation today.</summary>
internal sealed record WriteReminderEmail(string UserId, DateOnly Date, long? GivenId)
{
    public const string Kind = "assistants.reminder_email";
}

internal sealed class ReminderEmailCortex(EventParts parts)
    : EventCortex<WriteReminderEmail, EmailAnswer, EmailMessage>(parts, EventTypes.ReminderEmail)
{
    private const int LongestName = 255;

    private static readonly AnswerForm<EmailAnswer> Email = AnswerForms.Json("reminder_email", EventsJson.Default.EmailAnswer);

    protected override string Prompt => "reminder-email.1";

    protected override AnswerForm<EmailAnswer> Form => Email;

    protected override JsonTypeInfo<EmailMessage> Json => EventsJson.Default.EmailMessage;

    protected override double Temperature => 1;

    protected override async Task<EventSubject?> LoadAsync(WriteReminderEmail job, CancellationToken ct)
    {
        var key = EventTypes.KeyOf(EventTypes.ReminderEmail, job.UserId, job.Date);
        if (await FindUserAsync(job.UserId, key, ct) is not { } user)
        {
            return null;
        }
        var days = job.GivenId is not { } id ? await ReadAsync(UserDay.Of(user, Parts.Time.GetUtcNow()), ct)
            : await Given.FindAsync(Parts.Db, id, ct) is { } given ? DayOf(given) : null;
        return days is null or { Minutes: > 0 } ? null : new(
            user, key, user.Introduction(Parts.Time.GetUtcNow())
                .Add("reminded_yesterday", days.IsRemindedYesterday ? "yes" : "no")
                .Add("task_never_tried", days.TaskNeverTried));
    }

    protected override EmailMessage MessageOf(EventSubject subject, EmailAnswer answer) =>
        new(answer.Subject, answer.Body, subject.User.Email);

    private static Day DayOf(JsonElement given) => new(
        given.TryGetProperty("n_meeting_minutes_today", out var minutes)
        && minutes.ValueKind == JsonValueKind.Number && minutes.GetDouble() > 0 ? 1 : 0,
        given.TryGetProperty("received_reminder_email_yesterday", out var reminded) && reminded.ValueKind == JsonValueKind.True,
        GivenText.Of(given, "first_enabled_not_executed_task_name", LongestName));

    private async Task<Day> ReadAsync(UserDay day, CancellationToken ct)
    {
        var yesterday = day.User.LocalTime.StartOf(day.Date.AddDays(-1));
        return await Parts.Db.Database.SqlQuery<Day>($"""
            select
              (select count(*)::integer from assistants.task_executions e join assistants.user_tasks ut on ut.id = e.user_task_id
               join assistants.tasks t on t.id = ut.task_id
               where e.user_id = {day.User.Id}
                 and e.deleted_at is null and e.started_at >= {day.Start} and t.name_for_system = {Reminders.MinutesTask}) as minutes,
              exists (select from assistants.events v where v.user_id = {day.User.Id} and v.event_type = {EventTypes.ReminderEmail}
               and v.created_at >= {yesterday} and v.created_at < {day.Start}) as is_reminded_yesterday,
              (select t.name_for_system from assistants.user_tasks ut join assistants.tasks t on t.id = ut.task_id
               where ut.user_id = {day.User.Id} and ut.is_enabled and not exists (
                 select from assistants.task_executions e where e.user_task_id = ut.id and e.started_at is not null)
               order by ut.id limit 1) as task_never_tried
            """).SingleAsync(ct);
    }

    private sealed record Day(int Minutes, bool IsRemindedYesterday, string? TaskNeverTried);
}
