using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway;
using Stoa.Gateway.Alerts;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Delivery;

public sealed class AlertTests
{
    private static readonly AlertAgent Agent = new("0123456789abcdef01234567", "Tutor", "org", "user");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_alert_hears_of_its_types_and_agents_alone()
    {
        await using var site = await DeliverySite.StartAsync();
        await AddAsync(site, "errors", """["Error"]""", """["all"]""");
        await AddAsync(site, "others", """["Error"]""", """["ffffffffffffffffffffffff"]""");
        await AddAsync(site, "thumbs", """["thumbsdown"]""", """["0123456789abcdef01234567"]""");
        var alerts = site.Host.Services.GetRequiredService<AlertSender>();

        await alerts.SendAsync(Organization.DefaultId, AlertEvent.Error(Agent, "message-1", "It broke"), Ct);
        await alerts.SendAsync(Organization.DefaultId, AlertEvent.Error(Agent, "message-1", "It broke"), Ct);
        await site.Host.RunJobsAsync();

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""
            {"error":{"details":{"alert":"Unexpected Error","error_message":"It broke"},"bridge_id":"0123456789abcdef01234567","org_id":"org",
              "user_id":"user","bridge_name":"Tutor","is_embed":false},"success":false,"variables":{}}
            """), JsonNode.Parse(Assert.Single(site.Received).Body)));
    }

    [Fact]
    public async Task A_limit_is_told_once_when_the_total_passes_it()
    {
        await using var site = await DeliverySite.StartAsync();
        await AddAsync(site, "limit", """["metrix_limit_reached"]""", """["all"]""", limit: 100);
        var alerts = site.Host.Services.GetRequiredService<AlertSender>();

        foreach (var (before, after) in ((decimal, decimal)[])[(0, 99), (99, 100), (100, 250)])
        {
            await alerts.SendAsync(Organization.DefaultId, AlertEvent.TotalGrew(Agent, $"tokens-{after}", before, after), Ct);
        }
        await site.Host.RunJobsAsync();

        var details = JsonNode.Parse(Assert.Single(site.Received).Body)!["error"]!["details"]!;
        Assert.Equal(("limit_reached", 100), ((string)details["alert"]!, (int)details["Limit Size"]!));
    }

    [Fact]
    public async Task A_changed_alert_is_heard_of_at_once()
    {
        await using var site = await DeliverySite.StartAsync();
        var alerts = site.Host.Services.GetRequiredService<AlertSender>();
        var what = AlertEvent.Answered(Agent, "message-1", new() { ["data"] = new JsonObject(), ["usage"] = new JsonObject() });
        var before = await alerts.ForAsync(Organization.DefaultId, what, Ct);

        await AddAsync(site, "answers", """["broadcast_response"]""", """["all"]""");
        await Patience.UntilAsync(
            async () => (await alerts.ForAsync(Organization.DefaultId, what, Ct)).Count > 0, () => "Nobody heard of the new alert");
        await alerts.SendAsync(Organization.DefaultId, what, Ct);
        await site.Host.RunJobsAsync();

        Assert.Empty(before);
        Assert.Equal("""{"response":{"data":{},"usage":{}},"success":true,"variables":{}}""", Assert.Single(site.Received).Body);
    }

    private static async Task AddAsync(DeliverySite site, string name, string types, string agents, int? limit = null)
    {
        await using var db = await site.Host.Services.GetRequiredService<IDbContextFactory<GatewayDb>>().CreateDbContextAsync(Ct);
        var now = TimeProvider.System.GetUtcNow();
        db.Add(new Alert
        {
            Id = HexId.Create(TimeProvider.System),
            OrganizationId = Organization.DefaultId,
            Name = name,
            Document = new()
            {
                ["webhookConfiguration"] = new JsonObject { ["url"] = site.ReceiverUrl.ToString() },
                ["alertType"] = JsonNode.Parse(types),
                ["bridges"] = JsonNode.Parse(agents),
                ["limit"] = limit,
            },
            CreatedAt = now,
        });
        await db.SaveChangesAsync(Ct);
    }
}
