using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Mail;
using Stoa.Assistants.Push;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Events;

/// <summary><c>PUT /event</c>: the background service has written something, and it is told and kept here.</summary>
internal static class EventApi
{
    public static void MapEvents(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("").TellTechnicalMailbox().MapPut("/event", TellAsync)
        .RequireMojodexService(MojodexService.Background).WithMetadata(WireTexts.Callback)
        .WithTags("Callbacks").WithSummary("Tell a user something by mail or notification, and keep it");

    internal static async Task<Ok<EventAnswer>> TellAsync(
        Body<EventFields> body, GivenMessages messages, EventUsers users, CancellationToken ct)
    {
        var (userId, type, message, data) = body.Value;
        var isNotification = EventTypes.IsNotification(type);
        if (!isNotification && !EventTypes.IsEmail(type))
        {
            throw Failure.Invalid("Unknown event type", "event_type");
        }
        var user = await users.FindAsync(userId, ct) ?? throw Failure.Invalid("Invalid field 'user_id'", "user_id");
        return TypedResults.Ok(new EventAnswer(
            isNotification
                ? await messages.PushAsync(user, type, NotificationOf(message, data), ct)
                : await messages.MailAsync(user, type, EmailOf(message), ct)));
    }

    private static EmailMessage EmailOf(JsonElement message)
    {
        const int longestBody = 100_000;
        var email = new EmailMessage(
            Text(message, "subject", Fields.ShortText * 4), Text(message, "body", longestBody), Text(message, "email", Fields.ShortText));
        return Letter.IsAddress(email.Email) ? email : throw Failure.Invalid("Invalid field 'email'", "message.email");
    }

    private static NotificationMessage NotificationOf(JsonElement message, JsonElement? data)
    {
        // What the push service takes: 4 KiB, its own part included.
        const int longestTitle = 500, longestBody = 2_000, longestData = 1_000;
        if (data is not { ValueKind: JsonValueKind.Object } members)
        {
            throw Failure.Invalid(data is null ? "Missing field 'data'" : "Invalid field 'data'", "data");
        }
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in members.EnumerateObject())
        {
            // Only texts get through; the original's tools send numbers too.
            texts[member.Name] = member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null
                ? throw Failure.Invalid("Invalid field 'data'", "data") : member.Value.ToString();
        }
        var title = Text(message, "title", longestTitle);
        var text = Text(message, "body", longestBody);
        return texts.Sum(pair => pair.Key.Length + pair.Value.Length) > longestData
            ? throw Failure.Invalid("Invalid field 'data'", "data")
            : new(title, text, texts);
    }

    private static string Text(JsonElement message, string name, int most) =>
        message.ValueKind != JsonValueKind.Object || !message.TryGetProperty(name, out var value)
        ? throw Failure.Invalid($"Missing field '{name}'", $"message.{name}")
        : value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text && text.Length <= most ? text
        : throw Failure.Invalid($"Invalid field '{name}'", $"message.{name}");

    internal sealed record EventFields(string UserId, string Type, JsonElement Message, JsonElement? Data) : IArguments<EventFields>
    {
        public static EventFields Read(Fields fields) => new(
            fields.Text("user_id", Fields.ShortText), fields.Text("event_type", Fields.ShortText), fields.Json("message").Clone(),
            fields.OptionalJson("data")?.Clone());
    }

    internal sealed record EventAnswer([property: JsonPropertyName("event_pk")] int EventPk);
}

/// <summary>
/// Tells what another program has written. What comes once a day comes once from here too, whoever wrote it: a second one finds the first.
/// </summary>
internal sealed class GivenMessages(AssistantsDb db, EventOutbox outbox, Mailer mailer, Pusher pusher, TimeProvider time)
{
    // For another who tells the same at this moment; less than statements may take.
    private const string LongestWait = "20s";

    /// <summary>Written down with the job that sends it: who is answered can rely on it.</summary>
    public async Task<int> MailAsync(EventUser user, string type, EmailMessage message, CancellationToken ct)
    {
        if (!mailer.IsConfigured)
        {
            throw new Failure(FailureKind.Internal, "not_configured", "E-mail service is not configured");
        }
        var key = KeyOf(user, type);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var made = await outbox.InsertAsync(user.Id, type, JsonSerializer.Serialize(message, EventsJson.Default.EmailMessage), key, ct);
        if (made is { } id)
        {
            db.Enqueue(new DeliverEvent(id), DeliverEvent.Options(id, user));
        }
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return made ?? await IdOfAsync(key, ct);
    }

    /// <summary>
    /// Pushed while the caller waits, and kept only when a device took it. One that stands there untold was left by a job that gave up: it
    /// is told by whoever comes next. Two who come at once are one after the other, since the row is held until it is told.
    /// </summary>
    public async Task<int> PushAsync(EventUser user, string type, NotificationMessage message, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var held = await HoldAsync(user, type, message, ct);
        if (held.DeliveredAt is not null || await IsBeingToldAsync(held.Id, ct))
        {
            return held.Id;
        }
        if (await IsTakenAsync(user, type, message, ct))
        {
            await outbox.DeliveredAsync(held.Id, CancellationToken.None);
            await transaction.CommitAsync(CancellationToken.None);
            return held.Id;
        }
        // Committed: with it goes what was learned about devices.
        await db.Events.Where(row => row.Id == held.Id).ExecuteDeleteAsync(CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
        throw new Failure(FailureKind.Internal, "not_pushed", "The notification was sent to no device");
    }

    /// <summary>The event of the key, new or old, which nobody else can hold until the transaction is over.</summary>
    private async Task<HeldEvent> HoldAsync(EventUser user, string type, NotificationMessage message, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select set_config('lock_timeout', {LongestWait}, true)", ct);
        try
        {
            return await outbox.HoldAsync(
                user.Id, type, JsonSerializer.Serialize(message, EventsJson.Default.NotificationMessage), KeyOf(user, type), ct);
        }
        catch (PostgresException held) when (held.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw Failure.Unavailable("The notification is being sent", TimeSpan.FromSeconds(5));
        }
    }

    private async Task<bool> IsTakenAsync(EventUser user, string type, NotificationMessage message, CancellationToken ct)
    {
        try
        {
            return user.Wants(type)
                && await pusher.PushAsync(user.Id, new(message.Title, message.Body, message.Data, KeyOf(user, type)), ct);
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private Task<bool> IsBeingToldAsync(int id, CancellationToken ct) => db.Database.SqlQuery<bool>($"""
        select exists (select from platform.jobs where kind = {DeliverEvent.Kind} and unique_key = {id}::text) as "Value"
        """).SingleAsync(ct);

    private Task<int> IdOfAsync(string? key, CancellationToken ct) =>
        db.Events.Where(row => row.DedupKey == key).Select(row => row.Id).FirstAsync(ct);

    private string? KeyOf(EventUser user, string type) => EventTypes.KeyOf(type, user.Id, user.LocalTime.DateAt(time.GetUtcNow()));
}
