using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;

namespace Stoa.Assistants.Events;

internal sealed record NotificationAnswer(
    [property: Description("Fewer than ten words")] string Title, [property: Description("Fewer than twenty words")] string Message);

/// <summary>Tells a user in the afternoon which to-dos were found in what he did today.</summary>
internal sealed record WriteDailyNotification(string UserId, DateOnly Date, long? GivenId)
{
    public const string Kind = "assistants.daily_notification";
}

internal sealed class DailyNotificationCortex(EventParts parts, TodoListStore todos)
    : EventCortex<WriteDailyNotification, NotificationAnswer, NotificationMessage>(parts, EventTypes.DailyNotification)
{
    private const int MostListed = 100, LongestText = 2_000;

    private static readonly AnswerForm<NotificationAnswer> Notification =
        AnswerForms.Json("daily_notification", EventsJson.Default.NotificationAnswer);

    protected override string Prompt => "daily-notification.1";

    protected override AnswerForm<NotificationAnswer> Form => Notification;

    protected override JsonTypeInfo<NotificationMessage> Json => EventsJson.Default.NotificationMessage;

    protected override int MaxOutput => 200;

    protected override async Task<EventSubject?> LoadAsync(WriteDailyNotification job, CancellationToken ct)
    {
        var key = EventTypes.KeyOf(EventTypes.DailyNotification, job.UserId, job.Date);
        if (await FindUserAsync(job.UserId, key, ct) is not { } user)
        {
            return null;
        }
        var added = job.GivenId is not { } id ? await todos.NewAsync(UserDay.Of(user, Parts.Time.GetUtcNow()), ct)
            : await Given.FindAsync(Parts.Db, id, ct) is { } given ? Added(given) : [];
        return added.Count == 0 ? null : new(
            user, key, user.Introduction(Parts.Time.GetUtcNow())
                .Add("number_of_new_todos", added.Count.ToString(CultureInfo.InvariantCulture))
                .Add("new_todos", string.Join('\n', added.Select(todo => $"- {todo}"))))
        {
            Data = new(StringComparer.Ordinal) { ["user_id"] = user.Id, ["type"] = "todos" },
        };
    }

    protected override NotificationMessage MessageOf(EventSubject subject, NotificationAnswer answer) =>
        Notifications.Of(answer, subject.Data);

    private static List<string> Added(JsonElement given) =>
        given.TryGetProperty("new_todos_today", out var items) && items.ValueKind == JsonValueKind.Array
            ?
            [
                .. items.EnumerateArray().Take(MostListed).Where(item => item.ValueKind == JsonValueKind.String)
                    .Select(item => GivenText.Shortened(item.GetString()!, LongestText)),
            ]
            : [];
}

/// <summary>Reminds a user of a suggestion for this day that he has accepted.</summary>
/// <param name="SuggestionId">One that is kept here; null: what the caller gave.</param>
internal sealed record WriteCalendarNotification(string UserId, int? SuggestionId, long? GivenId)
{
    public const string Kind = "assistants.calendar_suggestion_notification";
}

internal sealed class CalendarNotificationCortex(EventParts parts)
    : EventCortex<WriteCalendarNotification, NotificationAnswer, NotificationMessage>(parts, EventTypes.CalendarNotification)
{
    private static readonly AnswerForm<NotificationAnswer> Notification =
        AnswerForms.Json("calendar_suggestion_notification", EventsJson.Default.NotificationAnswer);

    protected override string Prompt => "calendar-suggestion-notification.1";

    protected override AnswerForm<NotificationAnswer> Form => Notification;

    protected override JsonTypeInfo<NotificationMessage> Json => EventsJson.Default.NotificationMessage;

    protected override int MaxOutput => 200;

    protected override double Temperature => 1;

    protected override async Task<EventSubject?> LoadAsync(WriteCalendarNotification job, CancellationToken ct) =>
        await FindUserAsync(job.UserId, key: null, ct) is { } user && await SuggestionAsync(job, ct) is { } suggestion ? new(
            user, Key: null, user.Introduction(Parts.Time.GetUtcNow()).Add("suggestion", suggestion.Text).Add("task", suggestion.TaskName))
        {
            Data = new(StringComparer.Ordinal)
            {
                ["user_id"] = user.Id, ["task_pk"] = suggestion.TaskId?.ToString(CultureInfo.InvariantCulture) ?? "",
                ["type"] = "calendar_suggestion",
            },
        }
        : null;

    protected override NotificationMessage MessageOf(EventSubject subject, NotificationAnswer answer) =>
        Notifications.Of(answer, subject.Data);

    private async Task<Suggestion?> SuggestionAsync(WriteCalendarNotification job, CancellationToken ct)
    {
        if (job.GivenId is { } id)
        {
            return await Given.FindAsync(Parts.Db, id, ct) is { } given ? Suggestion.Of(given) : null;
        }
        return (await Parts.Db.Database.SqlQuery<Suggestion>($"""
            select s.suggestion_text as text, s.task_id, t.name_for_system as task_name
            from assistants.calendar_suggestions s left join assistants.tasks t on t.id = s.task_id
            where s.id = {job.SuggestionId} and s.user_id = {job.UserId}
            """).ToListAsync(ct)).FirstOrDefault();
    }

    private sealed record Suggestion(string Text, int? TaskId, string? TaskName)
    {
        private const int LongestText = 2_000;

        public static Suggestion Of(JsonElement given) => new(
            GivenText.Of(given, "suggestion_text", LongestText) ?? "",
            given.TryGetProperty("task_pk", out var pk) && pk.ValueKind == JsonValueKind.Number && pk.TryGetInt32(out var id) ? id : null,
            GivenText.Of(given, "task_name", Wire.Fields.ShortText));
    }
}

internal static class Notifications
{
    // A message of the push service has 4 KiB at the most.
    private const int LongestTitle = 200, LongestBody = 600;

    public static NotificationMessage Of(NotificationAnswer answer, Dictionary<string, string> data) =>
        new(GivenText.Shortened(answer.Title.Trim(), LongestTitle), GivenText.Shortened(answer.Message.Trim(), LongestBody), data);
}
