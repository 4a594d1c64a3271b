using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Tests.Platform.Egress;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Delivery;

/// <summary>Agents whose answers come later, from the route to the receiver.</summary>
public sealed class AgentDeliveryTests(AgentDeliveryTests.WebhookedSite site) : IClassFixture<AgentDeliveryTests.WebhookedSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_answer_goes_to_the_webhook_that_the_request_names()
    {
        site.Received.Clear();

        var (status, body) = await site.AskAsync($$"""
            {"service":"demo","configuration":{"model":"demo","response_format":{"type":"webhook","cred":{"url":"{{site.Url}}","headers":"{\"x-own\":\"yes\"}" } } },
             "user":"Hello","variables":{"n":7} }
            """);
        await site.Host.RunJobsAsync();

        Assert.NotEqual(0, await site.QueuedAsync());
        Assert.Equal((200, """{"success":true,"message":"Your response will be sent through configured means."}"""), (status, body));
        var (headers, sent) = Assert.Single(site.Received);
        Assert.Equal("yes", headers["x-own"]);
        Assert.True((bool)sent["success"]!);
        Assert.Equal(7, (int)sent["variables"]!["n"]!);
        Assert.Equal(headers["webhook-id"], (string)sent["response"]!["data"]!["message_id"]!);
        Assert.True((int)sent["response"]!["usage"]!["output_tokens"]! > 0);
    }

    [Fact]
    public async Task A_run_that_cannot_begin_is_told_to_the_webhook_too()
    {
        site.Received.Clear();

        await site.AskAsync($$"""
            {"service":"demo","configuration":{"model":"demo","response_format":{"type":"webhook","cred":{"url":"{{site.Url}}" } } },
             "user":"Hello","images":["not an address"]}
            """);
        await site.Host.RunJobsAsync();

        Assert.False((bool)Assert.Single(site.Received).Body["success"]!);
    }

    [Theory]
    [InlineData("""{"type":"webhook","cred":{}}""")]
    [InlineData("""{"type":"webhook","cred":{"url":"http://10.0.0.1/"}}""")]
    [InlineData("""{"type":"RTLayer","cred":{}}""")]
    [InlineData("""{"type":"pigeon"}""")]
    public async Task Where_nothing_can_be_delivered_nothing_is_queued(string format)
    {
        var before = await site.QueuedAsync();

        var (status, _) =
            await site.AskAsync($$"""{"service":"demo","configuration":{"model":"demo","response_format":{{format}}},"user":"Hello"}""");

        Assert.Equal(400, status);
        Assert.Equal(before, await site.QueuedAsync());
    }

    public sealed class WebhookedSite : IAsyncLifetime
    {
        private LoopbackSite receiver = null!;

        public HostUnderTest Host { get; private set; } = null!;

        public Uri Url => receiver.Url;

        public List<(Dictionary<string, string> Headers, JsonNode Body)> Received { get; } = [];

        /// <summary>How many runs were queued until now.</summary>
        public async Task<long> QueuedAsync()
        {
            await using var command = Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("""
                select count(*) from (select kind from platform.jobs union all select kind from platform.finished_jobs) every
                where kind = 'gateway.run_queued'
                """);
            return (long)(await command.ExecuteScalarAsync(Ct))!;
        }

        public async ValueTask InitializeAsync()
        {
            receiver = await LoopbackSite.StartAsync(async context =>
            {
                var body = (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted))!;
                Received.Add((context.Request.Headers.ToDictionary(
                    header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase), body));
            });
            Host = await HostUnderTest.StartAsync(new() { ["Egress:Allow"] = "127.0.0.1" });
            Host.Client.DefaultRequestHeaders.Authorization = new("Bearer", HostProcess.DevelopmentKey);
        }

        public async Task<(int Status, string Body)> AskAsync(string body)
        {
            using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            using var answer = await Host.Client.PostAsync(new Uri("/api/v2/model/chat/completion", UriKind.Relative), content, Ct);
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Ct));
        }

        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            await receiver.DisposeAsync();
        }
    }
}
