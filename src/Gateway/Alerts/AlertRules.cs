using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.Secrets;
using Stoa.Platform.Data;
using Stoa.Platform.Webhooks;

namespace Stoa.Gateway.Alerts;

/// <summary>An alert as it is chosen: what about, which agents, from which limit on.</summary>
/// <param name="Webhook">To be given an id and a body.</param>
internal sealed record AlertRule(string Id, IReadOnlySet<string> Types, IReadOnlySet<string> Agents, decimal? Limit, NewWebhook Webhook)
{
    public bool IsAbout(string type, string agentId) => Types.Contains(type) && (Agents.Contains("all") || Agents.Contains(agentId));

    public bool Wants(AlertEvent what) => IsAbout(what.Type, what.Agent.BridgeId)
        && (what.Total is not { } total || (total.Before < Limit && total.After >= Limit));

    public static AlertRule Of(Alert alert) => new(
        alert.Id, TextsOf(alert.Document["alertType"]), TextsOf(alert.Document["bridges"]),
        alert.Document["limit"] is JsonValue limit && limit.TryGetValue<decimal>(out var number) ? number : null,
        RunDelivery.WebhookOf(
            alert.OrganizationId, alert.Document["webhookConfiguration"] as JsonObject ?? [], [], alert.Id, AlertSender.Kind));

    private static HashSet<string> TextsOf(JsonNode? node) => node switch
    {
        JsonArray list =>
            [.. list.OfType<JsonValue>().Select(item => item.TryGetValue<string>(out var text) ? text : null).OfType<string>()],
        JsonValue value when value.TryGetValue<string>(out var one) => [one],
        _ => [],
    };
}

/// <summary>The alerts of organizations, read once and kept until they change: the end of each run asks for them.</summary>
internal sealed class AlertRules(IDbContextFactory<GatewayDb> dbs, DocumentSeal seal, ChangeFeed feed)
    : ChangeListener(feed, Channel)
{
    private const string Channel = "gateway_configuration";

    private readonly ConcurrentDictionary<Guid, Lazy<Task<AlertRule[]>>> known = [];

    public async ValueTask<IReadOnlyList<AlertRule>> OfAsync(Guid organizationId, CancellationToken ct)
    {
        // Shared by all who ask at once, so no single caller's end cancels it.
        var reading = known.GetOrAdd(organizationId, static (id, rules) => new(() => rules.ReadAsync(id)), this);
        try
        {
            return await reading.Value.WaitAsync(ct);
        }
        catch when (reading.Value.IsFaulted)
        {
            known.TryRemove(KeyValuePair.Create(organizationId, reading));
            throw;
        }
    }

    /// <summary>What is in memory; null when nothing is, and then it is being read.</summary>
    public IReadOnlyList<AlertRule>? Known(Guid organizationId)
    {
        var reading = OfAsync(organizationId, CancellationToken.None);
        return reading.IsCompletedSuccessfully ? reading.GetAwaiter().GetResult() : null;
    }

    private async Task<AlertRule[]> ReadAsync(Guid organizationId)
    {
        await using var db = await dbs.CreateDbContextAsync();
        var alerts = await db.Alerts.AsNoTracking().Where(alert => alert.OrganizationId == organizationId)
            .OrderBy(alert => alert.Id).ToListAsync();
        return [.. alerts.Select(alert => AlertRule.Of(alert with { Document = seal.Opened(alert.Document) }))];
    }

    /// <summary>The payload lists organizations; empty or absent means all.</summary>
    protected override Task HearAsync(string? payload, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(payload))
        {
            known.Clear();
            return Task.CompletedTask;
        }
        foreach (var name in payload.Split(','))
        {
            if (Guid.TryParse(name, out var organization))
            {
                known.TryRemove(organization, out _);
            }
        }
        return Task.CompletedTask;
    }
}
