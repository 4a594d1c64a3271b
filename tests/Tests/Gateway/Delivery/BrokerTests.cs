using System.Globalization;
using System.Text.Json.Nodes;
using Stoa.Gateway.Delivery;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Delivery;

/// <summary>Runs that wait in RabbitMQ.</summary>
public sealed class BrokerTests(PrivateBroker broker) : IClassFixture<PrivateBroker>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_travels_without_its_secrets_and_comes_back_with_them()
    {
        PrivateBroker.SkipUnlessThere();
        // Nobody consumes: what travels can be looked at.
        await using (var asleep = await StartAsync("travels", consumes: false))
        {
            await asleep.EnqueueAsync("message-1");
        }
        var message = JsonNode.Parse(Assert.Single(await broker.PeekAsync("travels")))!;
        Assert.DoesNotContain("secret", message.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(("message-1", "Hello"), ((string)message["id"]!, (string)message["request"]!["body"]!["user"]!));

        await using var site = await StartAsync("awake");
        await site.EnqueueAsync("message-2");
        await Patience.UntilAsync(() => !site.Received.IsEmpty);
        Assert.Equal("sk-secret", (string)Assert.Single(site.Runs.Ran).Request["body"]!["apikey"]!);
        await DrainedAsync("awake");
    }

    [Fact]
    public async Task A_failure_that_may_pass_waits_in_a_queue_of_its_own_and_comes_back()
    {
        PrivateBroker.SkipUnlessThere();
        await using var site = await StartAsync("retries");
        site.Runs.Act = run => Task.FromResult(run.Attempt == 1 ? ScriptedRuns.Fails("busy", forNow: true) : ScriptedRuns.Answer(run));

        await site.EnqueueAsync("message-1");
        await Patience.UntilAsync(() => !site.Received.IsEmpty);

        Assert.Equal([1, 2], site.Runs.Ran.Select(run => run.Attempt));
        await DrainedAsync("retries");
    }

    [Fact]
    public async Task Poison_and_what_fails_to_the_end_become_dead_letters_and_can_be_replayed()
    {
        PrivateBroker.SkipUnlessThere();
        await using var site = await StartAsync("poison");
        site.Runs.Act = _ => Task.FromResult(ScriptedRuns.Fails("busy", forNow: true));

        // There is a queue as soon as somebody has asked for its state.
        await site.Queue.StateAsync(Ct);
        await broker.PublishAsync("poison", "no message of ours");
        await broker.PublishAsync("poison", MessageOf(site, "message-1", attempt: 4));
        await Patience.UntilAsync(() => site.Received.Count == 1);
        await UntilFailedAsync(site, 2);
        var dead = (await broker.PeekAsync("poison-Failed")).Select(body => JsonNode.Parse(body)!).ToList();
        // What was looked at is there again some time after.
        await UntilFailedAsync(site, 2);
        site.Runs.Act = run => Task.FromResult(ScriptedRuns.Answer(run));
        var replayed = await site.Queue.ReplayAsync(10, Ct);
        Assert.Equal(2, replayed);
        await Patience.UntilAsync(() => site.Received.Count == 2);
        await UntilFailedAsync(site, 1);

        // Which of the two was given up first is left to chance.
        var (poison, failed) =
            (dead.Single(letter => letter["original"] is JsonValue), dead.Single(letter => letter["original"] is JsonObject));
        Assert.Equal("no message of ours", (string)poison["original"]!);
        Assert.Equal(("busy", "message-1"), ((string)failed["error"]!, (string)failed["original"]!["id"]!));
        Assert.Equal(["message-1", "message-1-1"], site.Received.Select(got => got.Id));
    }

    [Fact]
    public async Task What_waited_too_long_is_answered_with_an_error_and_not_run()
    {
        PrivateBroker.SkipUnlessThere();
        await using var site = await StartAsync("late");

        await site.Queue.StateAsync(Ct);
        await broker.PublishAsync("late", MessageOf(site, "message-1", attempt: 1, minutesAgo: 11));
        await Patience.UntilAsync(() => !site.Received.IsEmpty);

        Assert.Equal("""{"error":"The request waited too long to be run","success":false}""", Assert.Single(site.Received).Body);
        Assert.Empty(site.Runs.Ran);
    }

    [Fact]
    public async Task A_broker_that_is_killed_takes_nothing_with_it_and_is_found_again()
    {
        PrivateBroker.SkipUnlessThere();
        await using var site = await StartAsync("killed");
        var ids = Enumerable.Range(0, 100).Select(i => string.Create(CultureInfo.InvariantCulture, $"message-{i}")).ToArray();
        var gate = new TaskCompletionSource();
        site.Runs.Act = async run =>
        {
            await gate.Task;
            return ScriptedRuns.Answer(run);
        };

        await site.EnqueueAsync(ids);
        await Patience.UntilAsync(() => site.Runs.Ran.Count >= 10);
        await broker.KillAsync();
        await broker.StartAsync();
        gate.SetResult();
        await Patience.UntilAsync(() => ids.All(id => site.Received.Any(got => got.Id == id)), () => $"{site.Received.Count} received");

        Assert.Empty(ids.Except(site.Received.Select(got => got.Id), StringComparer.Ordinal));
        await DrainedAsync("killed");
    }

    [Fact]
    public async Task Nobody_is_told_that_a_run_is_queued_when_the_broker_does_not_say_so()
    {
        PrivateBroker.SkipUnlessThere();
        await using var site =
            await DeliverySite.StartAsync(new() { ["Gateway:Queue:Url"] = "amqp://127.0.0.1:1/", ["Gateway:Queue:Name"] = "nowhere" });

        var failure = await Assert.ThrowsAsync<Stoa.Platform.Http.Failure>(() => site.EnqueueAsync("message-1"));

        Assert.Equal(("queue_failed", "Failed to publish message."), (failure.Code, failure.Message));
    }

    private Task<DeliverySite> StartAsync(string queue, bool consumes = true) => DeliverySite.StartAsync(new()
    {
        ["Gateway:Queue:Url"] = broker.Url,
        ["Gateway:Queue:Name"] = queue,
        ["Gateway:Queue:Consumes"] = consumes ? "true" : "false",
    });

    private static string MessageOf(DeliverySite site, string id, int attempt, int minutesAgo = 0) =>
        System.Text.Encoding.UTF8.GetString(BrokerMessages.Write(site.Run(id) with
        {
            Attempt = attempt, EnqueuedAt = TimeProvider.System.GetUtcNow().AddMinutes(-minutesAgo),
        }));

    private static Task UntilFailedAsync(DeliverySite site, int count) =>
        Patience.UntilAsync(async () => (await site.Queue.StateAsync(Ct)).Failed == count, () => $"There are not {count} dead letters");

    /// <summary>Everything is acknowledged in the end.</summary>
    private async Task DrainedAsync(string queue)
    {
        await using var connection = await broker.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Ct);
        await Patience.UntilAsync(async () => await channel.MessageCountAsync(queue, Ct) == 0, () => "Messages stay in the queue");
        Assert.Equal(0u, await channel.MessageCountAsync($"{queue}-Failed", Ct));
    }
}
