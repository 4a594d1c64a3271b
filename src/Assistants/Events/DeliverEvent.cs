using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Mail;
using Stoa.Assistants.Push;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Events;

/// <summary>
/// Sends, and writes the end down. A mail server and a database have no common transaction: whoever dies in between sends again, with the
/// same Message-ID and the same words, and never loses one.
/// </summary>
internal sealed class DeliverEventHandler(
    AssistantsDb db, EventOutbox outbox, EventUsers users, Mailer mailer,
    Pusher pusher, Unsubscribing unsubscribing, IOptions<MailOptions> mail)
    : IJobHandler<DeliverEvent>
{
    public async Task RunAsync(DeliverEvent job, JobContext context, CancellationToken ct)
    {
        var row = await db.Events.AsNoTracking().FirstOrDefaultAsync(row => row.Id == job.EventId, ct);
        if (row is null or { DeliveredAt: not null } || await users.FindAsync(row.UserId, ct) is not { } user)
        {
            return;
        }
        if (!user.Wants(row.EventType))
        {
            throw JobFailure.Discard("The user does not want to be told such things");
        }
        if (EventTypes.IsNotification(row.EventType))
        {
            var message = JsonSerializer.Deserialize(row.Message, EventsJson.Default.NotificationMessage)!;
            if (!await pusher.PushAsync(user.Id, new(message.Title, message.Body, message.Data, row.DedupKey), ct))
            {
                throw JobFailure.Discard("None of the user's devices took it");
            }
            await DeliveredAsync(row.Id, context, ct);
            return;
        }
        var email = JsonSerializer.Deserialize(row.Message, EventsJson.Default.EmailMessage)!;
        var letter = EventLetter.Of(row, email, user, mail.Value.WebappUrl, unsubscribing.UrlFor(user.Id, row.EventType));
        // Once the server has it, no shutdown keeps us from saying so.
        await mailer.SendAsync(letter, () => DeliveredAsync(row.Id, context, CancellationToken.None), ct);
    }

    private async Task DeliveredAsync(int eventId, JobContext context, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await outbox.DeliveredAsync(eventId, ct);
        await context.CompleteAsync(db, ct);
        await transaction.CommitAsync(ct);
    }
}
