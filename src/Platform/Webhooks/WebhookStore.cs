using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Platform.Webhooks;

/// <summary>Reads the delivery log, and sends something of it again.</summary>
internal sealed class WebhookStore(WebhookDb db, TimeProvider time)
{
    /// <summary>Newest first, from the one before <paramref name="after"/> on.</summary>
    public Task<List<WebhookRow>> ListAsync(
        Guid organizationId, WebhookState? state, string? kind, string? webhookId, Guid? after, int limit, CancellationToken ct)
    {
        var rows = db.Deliveries.AsNoTracking().Where(delivery => delivery.OrganizationId == organizationId);
        rows = state is null ? rows : rows.Where(delivery => delivery.State == state);
        rows = kind is null ? rows : rows.Where(delivery => delivery.Kind == kind);
        rows = webhookId is null ? rows : rows.Where(delivery => delivery.WebhookId == webhookId);
        rows = after is null ? rows : rows.Where(delivery => delivery.Id < after);
        return rows.OrderByDescending(delivery => delivery.Id).Take(limit)
            .Select(delivery => new WebhookRow(
                delivery.Id, delivery.WebhookId, delivery.Kind, delivery.Url, delivery.State, delivery.AttemptCount, delivery.CreatedAt,
                delivery.UpdatedAt, delivery.NextAttemptAt))
            .ToListAsync(ct);
    }

    public Task<WebhookDelivery?> FindAsync(Guid organizationId, Guid id, CancellationToken ct) =>
        db.Deliveries.AsNoTracking().FirstOrDefaultAsync(delivery => delivery.Id == id && delivery.OrganizationId == organizationId, ct);

    /// <summary>At once, whatever became of it, under the same id; from here on the plan begins anew.</summary>
    public async Task ResendAsync(Guid organizationId, Guid id, CancellationToken ct)
    {
        var delivery = await db.Deliveries.FirstOrDefaultAsync(one => one.Id == id && one.OrganizationId == organizationId, ct)
            ?? throw Failure.NotFound("Delivery");
        var hash = SendWebhookHandler.HashOf(delivery.Url);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync(
            $"delete from platform.webhooks_gone where organization_id = {organizationId} and url_hash = {hash}", ct);
        delivery.State = WebhookState.Pending;
        delivery.NextAttemptAt = delivery.UpdatedAt = time.GetUtcNow();
        db.Enqueue(new SendWebhook(id), SendWebhook.Options(id, organizationId));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}

/// <summary>A delivery as lists show it.</summary>
internal sealed record WebhookRow(
    Guid Id, string WebhookId, string Kind, string Url, WebhookState State,
    int Attempts, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
    DateTimeOffset? NextAttemptAt);
