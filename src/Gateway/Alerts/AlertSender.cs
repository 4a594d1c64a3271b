using Stoa.Gateway.Runs;
using Stoa.Platform.Webhooks;

namespace Stoa.Gateway.Alerts;

/// <summary>Tells an organization's alerts what happened, by webhooks.</summary>
internal sealed class AlertSender(AlertRules rules, WebhookOutbox outbox)
{
    public const string Kind = "gateway.alert";

    /// <summary>Taken for delivery when it returns. Twice the same event is one webhook for each alert.</summary>
    public async Task SendAsync(Guid organizationId, AlertEvent what, CancellationToken ct) =>
        await outbox.SendAsync(await ForAsync(organizationId, what, ct), ct);

    /// <summary>The webhooks of those who want to know: mostly none, and then without asking the database.</summary>
    public async ValueTask<IReadOnlyList<NewWebhook>> ForAsync(Guid organizationId, AlertEvent what, CancellationToken ct)
    {
        var wanted = await rules.OfAsync(organizationId, ct);
        return
        [
            .. wanted.Where(rule => rule.Wants(what))
                .Select(rule =>
                    rule.Webhook with { WebhookId = $"{rule.Id}-{what.Type}-{what.Key}", Body = what.BodyFor(rule.Limit).Compact() }),
        ];
    }
}
