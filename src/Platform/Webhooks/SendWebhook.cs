using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Jobs;

namespace Stoa.Platform.Webhooks;

/// <summary>Sends one delivery. The job's attempts are the plan of Standard Webhooks; when they are used up, it is dead.</summary>
internal sealed record SendWebhook(Guid DeliveryId)
{
    public const string Kind = "platform.send_webhook";

    /// <summary>When the attempts come, counted from the first.</summary>
    private static readonly TimeSpan[] Plan =
    [
        TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>
    /// Receivers that dawdle must not keep everything else waiting: not one organization's, and not all of them together.
    /// </summary>
    public static readonly JobRules Rules = new()
    {
        MaxAttempts = Plan.Length, Timeout = TimeSpan.FromMinutes(2), MaxRunningPerTenant = 4, MaxRunningPerNode = 6,
    };

    public static EnqueueOptions Options(Guid deliveryId, Guid organizationId) => new()
    {
        Owner = new(organizationId), UniqueKey = deliveryId.ToString(), UniqueMode = UniqueMode.Replace,
    };

    /// <summary>The wait after a failed attempt, ± a fifth; null after the last one. <paramref name="random"/> is in [0, 1).</summary>
    public static TimeSpan? WaitAfter(int attempt, double random) =>
        attempt < Plan.Length ? (Plan[attempt] - Plan[attempt - 1]) * (0.8 + (0.4 * random)) : null;
}

internal sealed class SendWebhookHandler(
    WebhookDb db, WebhookOutbox outbox, WebhookSecrets secrets, WebhookSender sender, TimeProvider time)
    : IJobHandler<SendWebhook>
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(24);

    public async Task RunAsync(SendWebhook job, JobContext context, CancellationToken ct)
    {
        var delivery = await db.Deliveries.FirstOrDefaultAsync(one => one.Id == job.DeliveryId, ct);
        if (delivery is null or { State: WebhookState.Delivered })
        {
            // Taken before under the same id, or sent by a run whose end was not written.
            return;
        }
        if (await IsGoneAsync(delivery, ct))
        {
            delivery.Note(new(time.GetUtcNow(), null, "The receiver answered 410 before; send again by hand to try it anew", null, 0));
            await FailAsync(delivery, "The receiver is gone", ct);
        }
        var outcome =
            await sender.SendAsync(delivery, outbox.HeadersOf(delivery), await secrets.LiveAsync(delivery.OrganizationId, ct), ct);
        delivery.Note(outcome.Attempt);
        if (outcome.IsSuccess)
        {
            delivery.State = WebhookState.Delivered;
            delivery.NextAttemptAt = null;
            await db.SaveChangesAsync(ct);
            return;
        }
        var reason = outcome.Attempt.Error ?? $"The receiver answered {outcome.Attempt.Status}";
        if (outcome.IsGone)
        {
            await NoteGoneAsync(delivery, ct);
        }
        if (outcome.IsGone || outcome.IsHopeless || context.IsLastAttempt
            || SendWebhook.WaitAfter(context.Attempt, Random.Shared.NextDouble()) is not { } planned)
        {
            await FailAsync(delivery, reason, ct);
            return;
        }
        var wait = outcome.RetryAfter is { } asked && asked > planned && asked <= LongestWait ? asked : planned;
        delivery.State = WebhookState.Pending;
        delivery.NextAttemptAt = time.GetUtcNow() + wait;
        await db.SaveChangesAsync(ct);
        throw JobFailure.RetryAfter(wait, reason);
    }

    private async Task FailAsync(WebhookDelivery delivery, string reason, CancellationToken ct)
    {
        delivery.State = WebhookState.Failed;
        delivery.NextAttemptAt = null;
        await db.SaveChangesAsync(ct);
        throw JobFailure.Dead(reason);
    }

    private async Task<bool> IsGoneAsync(WebhookDelivery delivery, CancellationToken ct)
    {
        var hash = HashOf(delivery.Url);
        return await db.Database.SqlQuery<bool>($"""
            select exists (select from platform.webhooks_gone
              where organization_id = {delivery.OrganizationId} and url_hash = {hash}) as "Value"
            """).SingleAsync(ct);
    }

    private Task<int> NoteGoneAsync(WebhookDelivery delivery, CancellationToken ct) => db.Database.ExecuteSqlAsync($"""
        insert into platform.webhooks_gone (organization_id, url_hash, at)
        values ({delivery.OrganizationId}, {HashOf(delivery.Url)}, {time.GetUtcNow()})
        on conflict do nothing
        """, ct);

    internal static byte[] HashOf(string url) => SHA256.HashData(Encoding.UTF8.GetBytes(url));
}
