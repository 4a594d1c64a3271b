using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Events;

/// <summary><c>/notification_settings</c>, our own addition: what a user wants to be told.</summary>
internal static class NotificationSettingsApi
{
    public static void MapNotificationSettings(this IEndpointRouteBuilder routes)
    {
        var settings = routes.MapGroup("/notification_settings").RequireMojodexUser().WithTags("Notifications");
        settings.MapGet("", GetAsync).WithSummary("Read what you are told");
        settings.MapPut("", ChangeAsync).WithSummary("Change what you are told");
    }

    internal static async Task<Ok<NotificationSettings>> GetAsync(MojodexCaller caller, AssistantsDb db, CancellationToken ct) =>
        TypedResults.Ok(await ReadAsync(caller, db, ct));

    internal static async Task<Ok<NotificationSettings>> ChangeAsync(
        MojodexCaller caller, Body<SettingsFields> body, AssistantsDb db, CancellationToken ct)
    {
        var (todoEmails, reminders, push) = body.Value;
        await db.Users.Where(user => user.Id == caller.UserId).ExecuteUpdateAsync(
            set => set.SetProperty(user => user.ReceivesTodoEmails, user => todoEmails ?? user.ReceivesTodoEmails)
                .SetProperty(user => user.ReceivesReminders, user => reminders ?? user.ReceivesReminders)
                .SetProperty(user => user.ReceivesPush, user => push ?? user.ReceivesPush),
            ct);
        return TypedResults.Ok(await ReadAsync(caller, db, ct));
    }

    private static async Task<NotificationSettings> ReadAsync(MojodexCaller caller, AssistantsDb db, CancellationToken ct) =>
        await db.Users.Where(user => user.Id == caller.UserId)
            .Select(user => new NotificationSettings(user.ReceivesTodoEmails, user.ReceivesReminders, user.ReceivesPush))
            .FirstOrDefaultAsync(ct)
        ?? throw Failure.NotFound("User");

    /// <summary>What is left out stays as it is.</summary>
    internal sealed record SettingsFields(bool? TodoEmails, bool? Reminders, bool? Push) : IArguments<SettingsFields>
    {
        public static bool HasDatetime => false;

        public static SettingsFields Read(Fields fields) =>
            new(fields.OptionalFlag("todo_emails"), fields.OptionalFlag("reminders"), fields.OptionalFlag("push"));
    }

    internal sealed record NotificationSettings(bool TodoEmails, bool Reminders, bool Push);
}
