using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Identity;
using Stoa.Platform.Webhooks;
using Stoa.Tests.Platform.Egress;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Webhooks;

/// <summary>An organization of its own on a host, and a receiver that answers as told and keeps what it was sent.</summary>
internal sealed class WebhookSite : IAsyncDisposable
{
    private readonly HostUnderTest host;
    private readonly LoopbackSite receiver;
    private readonly Guid organization;

    private WebhookSite(
        HostUnderTest host, LoopbackSite receiver, ConcurrentQueue<Received> received, Guid organization, HttpClient client) =>
        (this.host, this.receiver, Got, this.organization, Client) = (host, receiver, received, organization, client);

    public ConcurrentQueue<Received> Got { get; }

    public HostUnderTest Host => host;

    /// <summary>An admin of the organization.</summary>
    public HttpClient Client { get; }

    public Uri ReceiverUrl => receiver.Url;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="answers">The status of each call in turn; the last one stays.</param>
    public static async Task<WebhookSite> StartAsync(HostUnderTest host, params int[] answers)
    {
        var received = new ConcurrentQueue<Received>();
        var receiver = await LoopbackSite.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync(Ct);
            var headers = context.Request.Headers.ToDictionary(
                header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
            received.Enqueue(new(body, headers));
            context.Response.StatusCode = answers.Length == 0 ? 204 : answers[Math.Min(received.Count, answers.Length) - 1];
            // However slow the machine is: no second attempt comes by itself.
            context.Response.Headers.RetryAfter = "3600";
            if (context.Response.StatusCode != 204)
            {
                await context.Response.WriteAsync($"Answer {received.Count}", Ct);
            }
        });
        var organization = Guid.CreateVersion7();
        await using (var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(
            $"insert into platform.organizations (id, slug, name) values ('{organization}', 'o{organization:n}', 'Own')"))
        {
            await command.ExecuteNonQueryAsync(Ct);
        }
        var key = await host.Services.GetRequiredService<KeyStore>().CreateAsync(organization, new("test", IsAdmin: true), "test", Ct);
        var client = new HttpClient { BaseAddress = host.Client.BaseAddress, Timeout = Patience.Long };
        client.DefaultRequestHeaders.Authorization = new("Bearer", key.Token);
        return new(host, receiver, received, organization, client);
    }

    public NewWebhook Webhook(string id, string? path = null) => new()
    {
        OrganizationId = organization,
        WebhookId = id,
        Kind = "test.told",
        Url = new Uri(receiver.Url, path ?? "/hook").ToString(),
        Headers = [new("Authorization", "Bearer receiver"), new("Host", "elsewhere.example"), new("webhook-id", "forged")],
        HeaderPrefix = "x-gtwy",
        Body = """{"told":"ünïcode"}""",
    };

    public async Task SendAsync(params NewWebhook[] webhooks)
    {
        await host.Services.GetRequiredService<WebhookOutbox>().SendAsync(webhooks, Ct);
        await host.RunJobsAsync();
    }

    /// <summary>Waits that were planned are over.</summary>
    public async Task SkipWaitsAsync()
    {
        await ExecuteAsync("update platform.jobs set run_at = now() where state = 'available'");
        await host.RunJobsAsync();
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    public async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await Client.GetStringAsync(new Uri(path, UriKind.Relative), Ct))!;

    public async Task<JsonNode> OnlyDeliveryAsync()
    {
        var row = Assert.Single((JsonArray)(await GetAsync("/api/stoa/webhooks/deliveries"))["items"]!);
        return await GetAsync($"/api/stoa/webhooks/deliveries/{row!["id"]}");
    }

    public async Task<string> NewSecretAsync(int overlapMinutes = 60)
    {
        var answer = await Client.PostAsJsonAsync("/api/stoa/webhooks/secrets", new { overlap_minutes = overlapMinutes }, Ct);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!["secret"]!;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await receiver.DisposeAsync();
    }

    internal sealed record Received(string Body, Dictionary<string, string> Headers);
}

/// <summary>A host that may call whoever listens on loopback.</summary>
public sealed class WebhookHost : IAsyncLifetime
{
    public HostUnderTest Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await HostUnderTest.StartAsync(new() { ["Egress:Allow"] = "127.0.0.1" });

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
