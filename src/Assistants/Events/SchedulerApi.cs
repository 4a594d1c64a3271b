using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Mail;
using Stoa.Assistants.Purchases;
using Stoa.Assistants.Push;
using Stoa.Assistants.Wire;

namespace Stoa.Assistants.Events;

/// <summary>
/// What the original's scheduler calls each hour, page by page. A page is one of candidates: not all of them are told something.
/// </summary>
internal static class SchedulerApi
{
    public static void MapScheduledEvents(this IEndpointRouteBuilder routes)
    {
        var scheduler = routes.MapGroup("").RequireMojodexService(MojodexService.Scheduler).TellTechnicalMailbox().WithTags("Scheduler");
        scheduler.MapPost("/todo_daily_emails", TodoEmailsAsync).WithSummary("Launch the daily to-do mails of a page of users");
        scheduler.MapPost("/send_daily_notifications", DailyNotificationsAsync)
            .WithSummary("Launch the daily notifications of a page of users");
        scheduler.MapPost("/send_daily_emails", ReminderEmailsAsync).WithSummary("Launch the reminder mails of a page of users");
        scheduler.MapPost("/calendar_suggestion_notifications", CalendarAsync).WithSummary("Launch the reminders of accepted suggestions");
        scheduler.MapPost("/check_disengaged_free_trial_users", DisengagedAsync)
            .WithSummary("Tell the purchases mailbox of trial users who stay away");
        scheduler.MapPost("/check_expired_purchases", ExpiredAsync).WithSummary("End purchases whose time is over");
        scheduler.MapGet("/is_push_notif_service_configured", IsPushConfigured).WithSummary("Whether notifications can be pushed");
        scheduler.MapGet("/is_email_service_configured", IsMailConfigured)
            .RequireMojodexService(MojodexService.Scheduler, MojodexService.Webapp).WithSummary("Whether mail can be sent");
    }

    internal static Task<Ok<UserIds>> TodoEmailsAsync(
        Body<EmailsPage> body, Candidates candidates, EventLaunches launches, IOptions<EventsOptions> options, CancellationToken ct) =>
        LaunchTodoEmailsAsync(body.Value.Limit, body.Value.Offset, candidates, launches, options.Value, ct);

    internal static async Task<Ok<UserIds>> LaunchTodoEmailsAsync(
        int limit, int offset, Candidates candidates, EventLaunches launches, EventsOptions options, CancellationToken ct)
    {
        var users = await candidates.AtHourAsync(options.TodoEmailHour, onWeekdays: true, EventTypes.TodoEmail, limit, offset, ct);
        await launches.TodoEmailsAsync(users, ct);
        return await SavedAsync(users, launches, ct);
    }

    internal static async Task<Ok<UserIds>> DailyNotificationsAsync(
        Body<NotificationsPage> body, Candidates candidates, EventLaunches launches, IOptions<EventsOptions> options, CancellationToken ct)
    {
        var users = await candidates.AtHourAsync(
            options.Value.NotificationHour, onWeekdays: false, EventTypes.DailyNotification, body.Value.Limit, body.Value.Offset, ct);
        await launches.DailyNotificationsAsync(users, ct);
        return await SavedAsync(users, launches, ct);
    }

    internal static async Task<Ok<UserIds>> ReminderEmailsAsync(
        Body<EmailsPage> body, Candidates candidates, EventLaunches launches, IOptions<EventsOptions> options, CancellationToken ct)
    {
        var users = await candidates.AtHourAsync(
            options.Value.ReminderHour, onWeekdays: false, EventTypes.ReminderEmail, body.Value.Limit, body.Value.Offset, ct);
        await launches.ReminderEmailsAsync(users, ct);
        return await SavedAsync(users, launches, ct);
    }

    internal static async Task<Ok<SuggestionPks>> CalendarAsync(
        Body<SuggestionsPage> body, CalendarReminders reminders, CancellationToken ct) =>
        TypedResults.Ok(new SuggestionPks(
            await reminders.LaunchAsync(body.Value.Since, body.Value.Until, body.Value.Limit, body.Value.Offset, ct)));

    internal static async Task<Ok<UserIds>> DisengagedAsync(Body<DisengagedPage> body, PurchaseChecks checks, CancellationToken ct) =>
        TypedResults.Ok(new UserIds(await checks.TellDisengagedAsync(body.Value.Limit, body.Value.Offset, ct)));

    internal static async Task<Ok<PurchasePks>> ExpiredAsync(Body<PurchasesPage> body, PurchaseChecks checks, CancellationToken ct) =>
        TypedResults.Ok(new PurchasePks(await checks.EndExpiredAsync(body.Value.Limit, ct)));

    internal static Ok<Configured> IsPushConfigured(Query<Nothing> query, Pusher pusher) =>
        TypedResults.Ok(new Configured(pusher.IsConfigured));

    internal static Ok<Configured> IsMailConfigured(Query<Nothing> query, Mailer mailer) =>
        TypedResults.Ok(new Configured(mailer.IsConfigured));

    private static async Task<Ok<UserIds>> SavedAsync(List<EventUser> users, EventLaunches launches, CancellationToken ct)
    {
        await launches.SaveAsync(ct);
        return TypedResults.Ok(new UserIds(users.ConvertAll(user => user.Id)));
    }

    internal sealed record EmailsPage(int Limit, int Offset) : IArguments<EmailsPage>
    {
        public static EmailsPage Read(Fields fields) => new(fields.PageSize("n_emails"), fields.Offset());
    }

    internal sealed record NotificationsPage(int Limit, int Offset) : IArguments<NotificationsPage>
    {
        public static NotificationsPage Read(Fields fields) => new(fields.PageSize("n_notifications"), fields.Offset());
    }

    internal sealed record SuggestionsPage(DateTimeOffset Since, DateTimeOffset Until, int Limit, int Offset) : IArguments<SuggestionsPage>
    {
        public static SuggestionsPage Read(Fields fields) =>
            new(fields.Instant("since_date"), fields.Instant("until_date"), fields.PageSize("n_notifications"), fields.Offset());
    }

    internal sealed record DisengagedPage(int Limit, int Offset) : IArguments<DisengagedPage>
    {
        public static DisengagedPage Read(Fields fields) => new(fields.PageSize("n_disengaged_users"), fields.Offset());
    }

    internal sealed record PurchasesPage(int Limit) : IArguments<PurchasesPage>
    {
        public static PurchasesPage Read(Fields fields) => new(fields.PageSize("n_purchases"));
    }

    internal sealed record Nothing : IArguments<Nothing>
    {
        public static Nothing Read(Fields fields) => new();
    }

    internal sealed record UserIds([property: JsonPropertyName("user_ids")] IReadOnlyList<string> Ids);

    internal sealed record PurchasePks([property: JsonPropertyName("purchase_pks")] IReadOnlyList<int> Pks);

    internal sealed record SuggestionPks([property: JsonPropertyName("calendar_suggestion_pks")] IReadOnlyList<int> Pks);

    internal sealed record Configured([property: JsonPropertyName("is_configured")] bool IsConfigured);
}
