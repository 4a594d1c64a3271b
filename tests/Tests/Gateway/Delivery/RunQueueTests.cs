using System.Text.Json.Nodes;
using Stoa.Gateway.Delivery;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Delivery;

/// <summary>Runs that wait as jobs, where there is no broker.</summary>
public sealed class RunQueueTests(SharedDelivery shared) : IClassFixture<SharedDelivery>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_queued_run_is_run_with_its_secrets_and_its_answer_delivered()
    {
        var site = await shared.FreshAsync();

        await site.EnqueueAsync("message-1");
        await site.Host.RunJobsAsync();

        var ran = Assert.Single(site.Runs.Ran);
        Assert.Equal("sk-secret", (string)ran.Request["body"]!["apikey"]!);
        Assert.Equal(("message-1", """{"response":{"data":{"content":"Answer to message-1"}},"success":true,"variables":{}}"""),
            Assert.Single(site.Received));
        Assert.Equal(0, await site.ScalarAsync<long>("select count(*) from gateway.queued_runs"));
    }

    [Fact]
    public async Task What_waits_holds_no_secret_in_clear()
    {
        var (run, secrets) = RunSecrets.Split(new()
        {
            Id = "message",
            OrganizationId = Guid.Empty,
            Request = JsonNode.Parse("""
                {"body":{"apikey":"sk-1","configuration":{"apikey":"sk-2"},"extra_tools":[{"name":"t","headers":{"x":"sk-3"},"auth":{"type":"bearer","token":"sk-5"}}],"variables":{"apikey":"kept"}}}
                """)!.AsObject(),
            ResponseFormat =
                JsonNode.Parse("""{"type":"webhook","cred":{"url":"http://example.org","headers":{"x":"sk-4"}}}""")!.AsObject(),
        });
        var site = await shared.FreshAsync();
        site.Runs.Act = _ => Task.FromResult(ScriptedRuns.Fails("busy", forNow: true));
        await site.EnqueueAsync("message-1");
        await site.Host.RunJobsAsync();

        var text = BrokerMessages.Write(run);
        Assert.DoesNotContain("sk-", System.Text.Encoding.UTF8.GetString(text), StringComparison.Ordinal);
        Assert.Contains("kept", System.Text.Encoding.UTF8.GetString(text), StringComparison.Ordinal);
        var whole = RunSecrets.Join(BrokerMessages.Read(text)!, secrets!);
        Assert.Equal("sk-3", (string)whole.Request["body"]!["extra_tools"]![0]!["headers"]!["x"]!);
        Assert.Equal("sk-4", (string)whole.ResponseFormat["cred"]!["headers"]!["x"]!);
        Assert.DoesNotContain("secret", await site.ScalarAsync<string>(
            "select message || encode(secrets, 'escape') from gateway.queued_runs"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_that_may_pass_is_tried_again_after_growing_waits()
    {
        var site = await shared.FreshAsync();
        site.Runs.Act = run => Task.FromResult(run.Attempt < 3 ? ScriptedRuns.Fails("busy", forNow: true) : ScriptedRuns.Answer(run));

        await site.EnqueueAsync("message-1");
        await site.Host.RunJobsAsync();
        var beforeAnyWait = site.Received.Count;
        await site.SkipWaitsAsync();
        await site.SkipWaitsAsync();

        Assert.Equal(0, beforeAnyWait);
        Assert.Equal([1, 2, 3], site.Runs.Ran.Select(run => run.Attempt));
        Assert.Single(site.Received);
    }

    [Fact]
    public async Task A_run_that_was_answered_before_is_delivered_and_not_run_again()
    {
        var site = await shared.FreshAsync();
        var fails = true;
        site.Runs.Act = run =>
        {
            // The answer is kept, and then the node dies.
            var answer = ScriptedRuns.Answer(run);
            return fails ? Task.FromResult(answer with { Retryable = "died" }) : Task.FromResult(answer);
        };

        await site.EnqueueAsync("message-1");
        await site.Host.RunJobsAsync();
        fails = false;
        await site.SkipWaitsAsync();

        Assert.Single(site.Runs.Ran);
        Assert.Single(site.Received);
    }

    [Fact]
    public async Task What_fails_to_the_end_is_told_becomes_a_dead_letter_and_can_be_replayed()
    {
        var site = await shared.FreshAsync();
        site.Runs.Act = _ => Task.FromResult(ScriptedRuns.Fails("busy", forNow: true));

        await site.EnqueueAsync("message-1");
        await site.Host.RunJobsAsync();
        for (var wait = 0; wait < QueuedRuns.Waits.Length; wait++)
        {
            await site.SkipWaitsAsync();
        }
        var state = await site.Queue.StateAsync(Ct);
        site.Runs.Act = run => Task.FromResult(ScriptedRuns.Answer(run));
        var replayed = await site.Queue.ReplayAsync(10, Ct);
        await site.Host.RunJobsAsync();

        Assert.Equal(new QueueState("jobs", RunQueued.Kind, Waiting: 0, Failed: 1), state);
        Assert.Equal(1, replayed);
        Assert.Equal(["""{"error":"busy","success":false}""",
            """{"response":{"data":{"content":"Answer to message-1"}},"success":true,"variables":{}}"""],
            site.Received.Select(got => got.Body));
        Assert.Equal(0, (await site.Queue.StateAsync(Ct)).Failed);
    }

    [Fact]
    public async Task What_waited_too_long_is_answered_with_an_error_and_not_run()
    {
        var site = await shared.FreshAsync();
        site.Runs.Act = _ => Task.FromResult(ScriptedRuns.Fails("busy", forNow: true));

        await site.EnqueueAsync("message-1");
        await site.Host.RunJobsAsync();
        await site.ExecuteAsync("update platform.jobs set created_at = now() - interval '11 minutes' where kind = 'gateway.run_queued'");
        await site.SkipWaitsAsync();

        Assert.Single(site.Runs.Ran);
        Assert.Equal("""{"error":"The request waited too long to be run","success":false}""", Assert.Single(site.Received).Body);
    }

    [Fact]
    public async Task A_run_that_comes_twice_is_run_once_and_delivered_once()
    {
        var site = await shared.FreshAsync();
        var gate = new TaskCompletionSource();
        site.Runs.Act = async run =>
        {
            await gate.Task;
            return ScriptedRuns.Answer(run);
        };

        await site.EnqueueAsync("message-1", "message-1");
        await Patience.UntilAsync(() => !site.Runs.Ran.IsEmpty);
        gate.SetResult();
        await site.Host.RunJobsAsync();
        await site.SkipWaitsAsync();

        Assert.Single(site.Runs.Ran);
        Assert.Single(site.Received);
    }
}
