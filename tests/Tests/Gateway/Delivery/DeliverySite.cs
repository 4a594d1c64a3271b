using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Gateway.Delivery;
using Stoa.Platform.Identity;
using Stoa.Tests.Platform.Egress;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Delivery;

/// <summary>What stands where agents run: it answers as it is told, and counts.</summary>
internal sealed class ScriptedRuns : IRunHandler
{
    private readonly ConcurrentDictionary<string, JsonObject> answered = [];

    public ConcurrentQueue<QueuedRun> Ran { get; } = [];

    public Func<QueuedRun, Task<RunOutcome>> Act { get; set; } = Answers;

    public static RunOutcome Answer(QueuedRun run) => new(new JsonObject
    {
        ["response"] = new JsonObject { ["data"] = new JsonObject { ["content"] = $"Answer to {run.Id}" } },
        ["success"] = true,
        ["variables"] = new JsonObject(),
    });

    public static RunOutcome Fails(string why, bool forNow) =>
        new(new JsonObject { ["error"] = why, ["success"] = false }, forNow ? why : null);

    public void Forget()
    {
        Ran.Clear();
        answered.Clear();
        Act = Answers;
    }

    public Task<JsonObject?> FindAnswerAsync(QueuedRun run, CancellationToken ct) => Task.FromResult(answered.GetValueOrDefault(run.Id));

    public async Task<RunOutcome> RunAsync(QueuedRun run, CancellationToken ct)
    {
        Ran.Enqueue(run);
        var outcome = await Act(run);
        if (outcome.Payload["success"]!.GetValue<bool>())
        {
            answered[run.Id] = outcome.Payload;
        }
        return outcome;
    }

    private static Task<RunOutcome> Answers(QueuedRun run) => Task.FromResult(Answer(run));
}

/// <summary>A host that runs what it is told, and a receiver of webhooks.</summary>
internal sealed class DeliverySite : IAsyncDisposable
{
    private readonly LoopbackSite receiver;

    private DeliverySite(
        HostUnderTest host, LoopbackSite receiver, ScriptedRuns runs, ConcurrentQueue<(string Id, string Body)> received) =>
        (Host, this.receiver, Runs, Received) = (host, receiver, runs, received);

    public HostUnderTest Host { get; }

    public ScriptedRuns Runs { get; }

    public ConcurrentQueue<(string Id, string Body)> Received { get; }

    public RunQueue Queue => Host.Services.GetRequiredService<RunQueue>();

    public Uri ReceiverUrl => receiver.Url;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<DeliverySite> StartAsync(Dictionary<string, string?>? settings = null)
    {
        var received = new ConcurrentQueue<(string, string)>();
        var receiver = await LoopbackSite.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            received.Enqueue((context.Request.Headers["webhook-id"].ToString(), await reader.ReadToEndAsync(context.RequestAborted)));
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        });
        var runs = new ScriptedRuns();
        var all = new Dictionary<string, string?>(settings ?? [], StringComparer.Ordinal) { ["Egress:Allow"] = "127.0.0.1" };
        var host = await HostUnderTest.StartAsync(all, builder => builder.Services.AddSingleton<IRunHandler>(runs));
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", HostProcess.DevelopmentKey);
        return new(host, receiver, runs, received);
    }

    public QueuedRun Run(string id) => new()
    {
        Id = id,
        OrganizationId = Organization.DefaultId,
        Request = new() { ["body"] =
            new JsonObject { ["user"] = "Hello", ["apikey"] = "sk-secret", ["variables"] = new JsonObject { ["headers"] = "mine" } } },
        ResponseFormat = new()
        {
            ["type"] = "webhook",
            ["cred"] = new JsonObject { ["url"] = receiver.Url.ToString(),
                ["headers"] = new JsonObject { ["Authorization"] = "Bearer receiver-secret" } },
        },
    };

    public Task EnqueueAsync(params string[] ids) => Task.WhenAll(ids.Select(id => Queue.EnqueueAsync(Run(id), Ct)));

    /// <summary>Waits of retries are over.</summary>
    public async Task SkipWaitsAsync()
    {
        await ExecuteAsync(
            "update platform.jobs set run_at = now() where state = 'available' and run_at > now() and kind <> 'gateway.forget_delivery'");
        await Host.RunJobsAsync();
    }

    /// <summary>As at the start: nothing waits, has run, or was delivered.</summary>
    public async Task ForgetAsync()
    {
        await Host.RunJobsAsync();
        await ExecuteAsync("""
            delete from gateway.queued_runs;
            delete from gateway.run_leases;
            delete from gateway.push_messages;
            delete from platform.webhook_deliveries;
            delete from platform.jobs where kind like 'gateway.%';
            """);
        Runs.Forget();
        Received.Clear();
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await receiver.DisposeAsync();
    }
}

/// <summary>One <see cref="DeliverySite"/> for all tests of a class, which it gives to each as a start would leave it.</summary>
public sealed class SharedDelivery : IAsyncLifetime
{
    private DeliverySite site = null!;

    public async ValueTask InitializeAsync() => site = await DeliverySite.StartAsync();

    internal async Task<DeliverySite> FreshAsync()
    {
        await site.ForgetAsync();
        return site;
    }

    public ValueTask DisposeAsync() => site.DisposeAsync();
}
