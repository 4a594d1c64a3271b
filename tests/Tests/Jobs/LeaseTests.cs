using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Tests.Jobs;

/// <summary>Leases, fences, and the ends of runs and nodes.</summary>
public sealed class LeaseTests
{
    private static readonly JobRules Short = new() { Lease = TimeSpan.FromSeconds(16), FirstWait = TimeSpan.FromMilliseconds(10) };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_end_of_an_earlier_attempt_is_refused_while_a_later_one_runs()
    {
        await using var site = await JobsSite.StartAsync();
        site.Script.Acts["long"] = (_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        var id = await site.EnqueueAsync("long");
        await site.UntilAsync(id, job => job.State is JobState.Running);
        await using var connection = await site.Source.OpenConnectionAsync(Ct);

        foreach (var state in (JobState[])[JobState.Succeeded, JobState.Available])
        {
            var ended = await OutcomeStatements.EndRunsAsync(
                connection, [new JobOutcome(id, Attempt: 0, state)], TimeProvider.System, Ct);
            Assert.Empty(ended);
        }

        Assert.Equal(JobState.Running, (await site.Store.FindAsync(id, null, Ct))!.State);
    }

    [Fact]
    public async Task A_long_run_keeps_its_lease()
    {
        await using var site = await JobsSite.StartAsync(Short);
        var gate = new TaskCompletionSource();
        site.Script.Acts["long"] = (_, ct) => gate.Task.WaitAsync(ct);
        var id = await site.EnqueueAsync("long");
        await site.UntilAsync(id, job => job.State is JobState.Running);
        var until = await site.ScalarAsync<DateTime>("select lease_until from platform.jobs");

        await JobsSite.UntilAsync(async () => await site.ScalarAsync<DateTime>("select lease_until from platform.jobs") > until);
        gate.SetResult();

        var job = await site.FinishedAsync(id);
        Assert.Equal((JobState.Succeeded, 1), (job.State, job.Attempt));
    }

    [Fact]
    public async Task A_run_whose_lease_was_taken_can_write_nothing_more()
    {
        await using var site = await JobsSite.StartAsync();
        var refused = 0;
        var gate = new TaskCompletionSource();
        site.Script.Acts["stale"] = async (context, _) =>
        {
            if (context.Attempt > 1)
            {
                return;
            }
            await gate.Task;
            await using var connection = await site.Source.OpenConnectionAsync(Ct);
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            await Assert.ThrowsAsync<LeaseLostException>(() => context.FenceAsync(connection, Ct));
            await Assert.ThrowsAsync<LeaseLostException>(() => context.CompleteAsync(connection, Ct));
            refused++;
        };
        var id = await site.EnqueueAsync("stale");
        await site.UntilAsync(id, job => job.State is JobState.Running);
        // As if a node had been stopped for longer than its lease.
        await site.ExecuteAsync("update platform.jobs set lease_until = now() - interval '1 minute'");

        var job = await site.UntilAsync(id, job => job.Attempt > 1 || job.State is JobState.Succeeded);
        gate.SetResult();
        await JobsSite.UntilAsync(() => Task.FromResult(refused == 1));

        job = await site.FinishedAsync(id);
        Assert.Equal((JobState.Succeeded, 2), (job.State, job.Attempt));
        Assert.Equal("lost", job.History[0].GetProperty("state").GetString());
    }

    [Fact]
    public async Task An_effect_and_its_completion_are_committed_together_or_not_at_all()
    {
        await using var site = await JobsSite.StartAsync(JobsSite.Quick with { MaxAttempts = 10 });
        site.Script.Acts["deed"] = async (context, ct) =>
        {
            await using var connection = await site.Source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var insert = new NpgsqlCommand("insert into deeds.deeds (name) values ('done')", connection);
            await insert.ExecuteNonQueryAsync(ct);
            await context.CompleteAsync(connection, ct);
            if (context.Attempt == 1)
            {
                throw new InvalidOperationException("before the commit");
            }
            if (context.Attempt == 2)
            {
                return;
            }
            await transaction.CommitAsync(ct);
            throw new InvalidOperationException("after the commit");
        };

        var job = await site.FinishedAsync(await site.EnqueueAsync("deed"));

        Assert.Equal((JobState.Succeeded, 3), (job.State, job.Attempts));
        Assert.Equal(1, await site.ScalarAsync<long>("select count(*) from deeds.deeds"));
    }

    [Fact]
    public async Task What_is_done_once_under_a_key_is_not_done_again()
    {
        await using var site = await JobsSite.StartAsync();
        List<bool> first = [];
        site.Script.Acts["once"] = async (context, ct) =>
        {
            await using var connection = await site.Source.OpenConnectionAsync(ct);
            first.Add(await context.TryOnceAsync(connection, "mail 7", ct));
        };

        await site.FinishedAsync(await site.EnqueueAsync("once"));
        await site.FinishedAsync(await site.EnqueueAsync("once"));

        Assert.Equal([true, false], first);
    }

    [Fact]
    public async Task A_snooze_uses_no_attempt()
    {
        await using var site = await JobsSite.StartAsync(JobsSite.Quick with { MaxAttempts = 1 });
        var runs = 0;
        site.Script.Acts["sleepy"] = (context, _) => runs++ < 4
            ? throw JobFailure.Snooze(TimeSpan.FromMilliseconds(1), $"not yet {context.Attempt}")
            : Task.CompletedTask;

        var job = await site.FinishedAsync(await site.EnqueueAsync("sleepy"));

        Assert.Equal((JobState.Succeeded, 1, 5), (job.State, job.Attempts, runs));
        // On a busy machine a claim whose answer does not come is taken back, which is no attempt either.
        Assert.All(
            job.History.EnumerateArray().Where(entry => entry.GetProperty("state").GetString() == "snoozed"),
            entry => Assert.Equal("not yet 1", entry.GetProperty("reason").GetString()));
        Assert.Contains(job.History.EnumerateArray(), entry => entry.GetProperty("state").GetString() == "snoozed");
    }

    [Fact]
    public async Task An_attempt_that_takes_too_long_is_a_failure()
    {
        await using var site = await JobsSite.StartAsync(JobsSite.Quick with { Timeout = TimeSpan.FromMilliseconds(50), MaxAttempts = 2 });
        site.Script.Acts["slow"] = (_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);

        var job = await site.FinishedAsync(await site.EnqueueAsync("slow"));

        Assert.Equal((JobState.Dead, 2), (job.State, job.Attempts));
        Assert.StartsWith("Timed out", job.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Arguments_that_cannot_be_read_are_dead_at_once()
    {
        await using var site = await JobsSite.StartAsync();
        await site.Acts.PauseAsync("test.step", "test", Ct);
        var id = await site.EnqueueAsync("x");
        await site.ExecuteAsync("""update platform.jobs set args = '{"name": 7}'""");
        await site.Acts.ResumeAsync("test.step", "test", Ct);

        var job = await site.FinishedAsync(id);

        Assert.Equal((JobState.Dead, 1), (job.State, job.Attempts));
    }

    [Fact]
    public async Task Progress_is_seen_while_the_job_runs_and_watchers_are_told()
    {
        await using var site = await JobsSite.StartAsync();
        var gate = new TaskCompletionSource();
        site.Script.Acts["steps"] = async (context, ct) =>
        {
            context.Report(3, 10, "pages");
            await gate.Task.WaitAsync(ct);
            context.Report(10, 10, "all pages");
        };
        await using var listener = await site.Source.OpenConnectionAsync(Ct);
        await using (var listen = new NpgsqlCommand("listen platform_job_news", listener))
        {
            await listen.ExecuteNonQueryAsync(Ct);
        }
        List<string> heard = [];
        listener.Notification += (_, news) => heard.Add(news.Payload);

        var id = await site.EnqueueAsync("steps");
        var job = await site.UntilAsync(id, job => job.ProgressDone is not null);
        // Others have news too, such as what a schedule sets going.
        while (!heard.Contains(id.ToString()))
        {
            await listener.WaitAsync(Ct);
        }
        gate.SetResult();
        var done = await site.FinishedAsync(id);

        Assert.Equal((3L, 10L, "pages"), (job.ProgressDone, job.ProgressTotal, job.ProgressNote));
        Assert.Equal((10L, "all pages"), (done.ProgressDone, done.ProgressNote));
    }

    [Fact]
    public async Task What_a_handler_told_last_is_there_when_it_ends_its_job_itself()
    {
        await using var site = await JobsSite.StartAsync();
        site.Script.Acts["steps"] = async (context, _) =>
        {
            context.Report(1, 3, "begun");
            await using var connection = await site.Source.OpenConnectionAsync(Ct);
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            await context.FenceAsync(connection, Ct);
            context.Report(3, 3, "done");
            await context.CompleteAsync(connection, Ct);
            await transaction.CommitAsync(Ct);
        };

        var done = await site.FinishedAsync(await site.EnqueueAsync("steps"));

        Assert.Equal((JobState.Succeeded, 3L, 3L, "done"), (done.State, done.ProgressDone, done.ProgressTotal, done.ProgressNote));
    }

    [Fact]
    public async Task What_a_handler_told_last_is_there_though_another_held_its_row_when_it_ended()
    {
        await using var site = await JobsSite.StartAsync();
        var (begun, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        site.Script.Acts["steps"] = async (context, ct) =>
        {
            begun.SetResult();
            await gate.Task.WaitAsync(ct);
            context.Report(3, 3, "done");
        };
        var id = await site.EnqueueAsync("steps");
        await begun.Task.WaitAsync(Ct);
        await using (var connection = await site.Source.OpenConnectionAsync(Ct))
        {
            // As whoever enqueues with its key holds it.
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            await using (var hold = new NpgsqlCommand($"select from platform.jobs where id = '{id}' for update", connection))
            {
                await hold.ExecuteNonQueryAsync(Ct);
            }
            gate.SetResult();
            var node = site.Host.Services.GetRequiredService<JobNode>();
            await JobsSite.UntilAsync(() => Task.FromResult(node.Find(id) is { IsEnding: true }));
            // Whoever writes progress meanwhile passes by in vain.
            await using var other = await site.Source.OpenConnectionAsync(Ct);
            await JobProgressWrites.WriteAsync(other, node, () => node.Jobs, Ct);
            await transaction.CommitAsync(Ct);
        }

        var done = await site.FinishedAsync(id);

        Assert.Equal((JobState.Succeeded, 3L, "done"), (done.State, done.ProgressDone, done.ProgressNote));
    }

    [Fact]
    public async Task A_stopping_node_hands_everything_back_and_no_attempt_is_lost()
    {
        await using var site = await JobsSite.StartAsync(settings: new() { ["Jobs:DrainSeconds"] = "0", ["Jobs:Workers"] = "1" });
        site.Script.Acts["long"] = (_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        var running = await site.EnqueueAsync("long");
        await site.UntilAsync(running, job => job.State is JobState.Running);
        var queued = await site.EnqueueAsync("next");
        await using var outside = NpgsqlDataSource.Create(site.ConnectionString);

        await site.Host.StopAsync();

        await using var left = outside.CreateCommand("select string_agg(state || ' ' || (attempt - snoozed), ', ') from platform.jobs");
        Assert.Equal("available 0, available 0", await left.ExecuteScalarAsync(Ct));
        await using var nodes = outside.CreateCommand("select count(*) from platform.job_nodes");
        Assert.Equal(0L, await nodes.ExecuteScalarAsync(Ct));
        Assert.NotEqual(running, queued);
    }

    [Fact]
    public async Task A_stopping_node_hands_back_also_what_another_transaction_holds_at_that_moment()
    {
        await using var site = await JobsSite.StartAsync(settings: new() { ["Jobs:DrainSeconds"] = "0" });
        var ended = new TaskCompletionSource();
        site.Script.Acts["long"] = async (_, ct) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ended.SetResult();
            ct.ThrowIfCancellationRequested();
        };
        await site.UntilAsync(await site.EnqueueAsync("long"), job => job.State is JobState.Running);
        await using var outside = NpgsqlDataSource.Create(site.ConnectionString);
        await using var connection = await outside.OpenConnectionAsync(Ct);
        await using var holder = await connection.BeginTransactionAsync(Ct);
        await using (var hold = new NpgsqlCommand("select id from platform.jobs for no key update", connection, holder))
        {
            await hold.ExecuteNonQueryAsync(Ct);
        }

        var stopping = site.Host.StopAsync();
        await ended.Task.WaitAsync(Ct);
        // Long enough to be found held at least once, and far less than a stopping node has time for.
        await Task.WhenAny(stopping, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Ct));
        await holder.RollbackAsync(Ct);
        await stopping;

        await using var left = outside.CreateCommand("select state || ' ' || (attempt - snoozed) from platform.jobs");
        Assert.Equal("available 0", await left.ExecuteScalarAsync(Ct));
    }

    [Fact]
    public async Task An_api_node_enqueues_and_runs_nothing()
    {
        await using var site = await JobsSite.StartAsync(settings: new() { ["Stoa:Role"] = "api" });

        await site.EnqueueAsync("elsewhere");

        Assert.DoesNotContain(site.Host.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>(),
            service => service is JobRunner or JobMaintenance);
        Assert.Equal("available", await site.ScalarAsync<string>("select state from platform.jobs"));
    }
}
