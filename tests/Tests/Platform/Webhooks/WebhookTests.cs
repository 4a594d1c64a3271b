using System.Globalization;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Webhooks;

namespace Stoa.Tests.Platform.Webhooks;

public sealed class WebhookTests(WebhookHost shared) : IClassFixture<WebhookHost>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_receiver_gets_the_body_with_its_own_headers_and_an_id()
    {
        await using var site = await WebhookSite.StartAsync(shared.Host);

        await site.SendAsync(site.Webhook("message-1"));

        var got = Assert.Single(site.Got);
        Assert.Equal("""{"told":"ünïcode"}""", got.Body);
        Assert.Equal("application/json", got.Headers["Content-Type"]);
        Assert.Equal("Bearer receiver", got.Headers["Authorization"]);
        Assert.Equal(site.ReceiverUrl.Authority, got.Headers["Host"]);
        Assert.Equal("message-1", got.Headers["webhook-id"]);
        Assert.Equal("message-1", got.Headers["x-gtwy-delivery"]);
        Assert.Equal("1", got.Headers["x-gtwy-attempt"]);
        Assert.DoesNotContain("webhook-signature", got.Headers.Keys, StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_second_webhook_of_the_same_id_is_not_sent()
    {
        await using var site = await WebhookSite.StartAsync(shared.Host);

        await site.SendAsync(site.Webhook("message-1"));
        await site.SendAsync(site.Webhook("message-1"), site.Webhook("message-2"));

        Assert.Equal(["message-1", "message-2"], site.Got.Select(got => got.Headers["webhook-id"]));
    }

    [Fact]
    public async Task The_newest_secret_signs_and_the_one_before_until_its_time_is_over()
    {
        await using var site = await WebhookSite.StartAsync(shared.Host);
        string[] secrets = [await site.NewSecretAsync(), await site.NewSecretAsync(overlapMinutes: 5)];

        await site.SendAsync(site.Webhook("message-1"));
        await site.ExecuteAsync("update platform.webhook_secrets set expires_at = now() where expires_at is not null");
        await site.SendAsync(site.Webhook("message-2"));

        var (both, one) = (site.Got.First().Headers, site.Got.Last().Headers);
        Assert.Equal(Expected([secrets[1], secrets[0]], both), both["webhook-signature"]);
        Assert.Equal(Expected([secrets[1]], one), one["webhook-signature"]);
        Assert.StartsWith($"t={one["webhook-timestamp"]},v1=", one["x-gtwy-signature"], StringComparison.Ordinal);

        string Expected(string[] by, Dictionary<string, string> headers) => WebhookSignature.Standard(
            by, headers["webhook-id"],
            DateTimeOffset.FromUnixTimeSeconds(long.Parse(headers["webhook-timestamp"], CultureInfo.InvariantCulture)),
            site.Got.First().Body);
    }

    [Fact]
    public async Task What_fails_is_tried_again_under_the_same_id_and_the_log_shows_both_attempts()
    {
        await using var site = await WebhookSite.StartAsync(shared.Host, 503, 200);

        await site.SendAsync(site.Webhook("message-1"));
        var waiting = await site.OnlyDeliveryAsync();
        await site.SkipWaitsAsync();
        var delivered = await site.OnlyDeliveryAsync();

        Assert.Equal(("pending", 1), ((string)waiting["state"]!, (int)waiting["attempt_count"]!));
        Assert.NotNull(waiting["next_attempt_at"]);
        Assert.Equal(("delivered", 2), ((string)delivered["state"]!, (int)delivered["attempt_count"]!));
        Assert.Equal(["Answer 1", "Answer 2"], delivered["attempts"]!.AsArray().Select(attempt => (string)attempt!["reply"]!));
        Assert.Equal(["1", "2"], site.Got.Select(got => got.Headers["x-gtwy-attempt"]));
        Assert.Single(site.Got.Select(got => got.Headers["webhook-id"]).Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_receiver_that_is_gone_hears_nothing_more_until_something_is_sent_again_by_hand()
    {
        await using var site = await WebhookSite.StartAsync(shared.Host, 410, 200);

        await site.SendAsync(site.Webhook("message-1"));
        var gone = await site.OnlyDeliveryAsync();
        await site.SendAsync(site.Webhook("message-2"));
        var silent = site.Got.Count;
        var answer = await site.Client.PostAsync(new Uri($"/api/stoa/webhooks/deliveries/{gone["id"]}/resend", UriKind.Relative), null, Ct);
        await site.Host.RunJobsAsync();
        await site.SendAsync(site.Webhook("message-3"));

        Assert.Equal("failed", (string)gone["state"]!);
        Assert.Equal(1, silent);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(["message-1", "message-1", "message-3"], site.Got.Select(got => got.Headers["webhook-id"]));
    }

    [Theory]
    [InlineData("http://10.0.0.1/")]
    [InlineData("http://[::1]/")]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("not an address")]
    public async Task An_address_that_is_not_allowed_fails_at_once(string url)
    {
        await using var site = await WebhookSite.StartAsync(shared.Host);

        await site.SendAsync(site.Webhook("message-1") with { Url = url });

        var delivery = await site.OnlyDeliveryAsync();
        Assert.Equal(("failed", "url not allowed"), ((string)delivery["state"]!, (string)delivery["attempts"]![0]!["error"]!));
    }

    [Fact]
    public async Task A_redirect_is_no_success()
    {
        await using var site = await WebhookSite.StartAsync(shared.Host, 302);

        await site.SendAsync(site.Webhook("message-1"));

        Assert.Equal(302, (int)(await site.OnlyDeliveryAsync())["attempts"]![0]!["status"]!);
        Assert.Single(site.Got);
    }

    [Fact]
    public async Task It_is_sent_exactly_when_its_cause_was_committed()
    {
        await using var site = await WebhookSite.StartAsync(shared.Host);
        var outbox = site.Host.Services.GetRequiredService<WebhookOutbox>();
        await using var connection = await site.Host.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(Ct);

        await using (await connection.BeginTransactionAsync(Ct))
        {
            await outbox.SendAsync(connection, [site.Webhook("rolled-back")], Ct);
        }
        await using (var transaction = await connection.BeginTransactionAsync(Ct))
        {
            await outbox.SendAsync(connection, [site.Webhook("committed")], Ct);
            await transaction.CommitAsync(Ct);
        }
        await site.Host.RunJobsAsync();

        Assert.Equal(["committed"], site.Got.Select(got => got.Headers["webhook-id"]));
    }

    [Fact]
    public async Task Deliveries_are_found_by_state_and_paged()
    {
        await using var site = await WebhookSite.StartAsync(shared.Host, 500, 200);
        await site.SendAsync(site.Webhook("failing"));
        await site.SendAsync(site.Webhook("one"));
        await site.SendAsync(site.Webhook("two"));

        var first = await site.GetAsync("/api/stoa/webhooks/deliveries?state=delivered&limit=1");
        var second = await site.GetAsync($"/api/stoa/webhooks/deliveries?state=delivered&limit=1&after={first["next"]}");

        Assert.Equal(("two", "one"), ((string)first["items"]![0]!["webhook_id"]!, (string)second["items"]![0]!["webhook_id"]!));
        Assert.Null(second["next"]);
    }

    [Fact]
    public async Task Old_deliveries_are_forgotten_but_for_those_still_tried()
    {
        await using var site = await WebhookSite.StartAsync(shared.Host, 500, 200);
        await site.SendAsync(site.Webhook("pending"));
        await site.SendAsync(site.Webhook("old"));
        await site.ExecuteAsync("update platform.webhook_deliveries set created_at = now() - interval '31 days'");

        await site.Host.Services.GetRequiredService<Stoa.Platform.Jobs.JobQueue>().EnqueueAsync(new ForgetWebhooks(), null, Ct);
        await site.Host.RunJobsAsync();

        Assert.Equal("pending", (string)(await site.OnlyDeliveryAsync())["webhook_id"]!);
    }
}
