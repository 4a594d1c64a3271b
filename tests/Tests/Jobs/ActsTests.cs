using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

/// <summary>What people and the passing of time do to jobs.</summary>
public sealed class ActsTests(SharedJobs shared) : IClassFixture<SharedJobs>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_waiting_job_is_cancelled_at_once_and_a_finished_one_not_at_all()
    {
        var site = await shared.FreshAsync();
        var id = await site.EnqueueAsync("never", new() { Delay = TimeSpan.FromHours(1) });

        Assert.True(await site.Acts.CancelAsync(id, null, "key:1", Ct));
        var job = await site.Store.FindAsync(id, null, Ct);
        Assert.False(await site.Acts.CancelAsync(id, null, "key:1", Ct));

        Assert.Equal(JobState.Cancelled, job!.State);
        Assert.Equal("key:1", job.History[0].GetProperty("by").GetString());
        Assert.Empty(site.Script.Ran);
        Assert.Equal(
            1, await site.ScalarAsync<long>($"select count(*) from platform.audit where act = 'job.cancel' and subject = 'job:{id}'"));
    }

    [Fact]
    public async Task A_running_job_is_told_to_stop()
    {
        var site = await shared.FreshAsync();
        site.Script.Acts["long"] = (_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        var id = await site.EnqueueAsync("long");
        await site.UntilAsync(id, job => job.State is JobState.Running);

        Assert.True(await site.Acts.CancelAsync(id, null, "key:1", Ct));

        Assert.Equal(JobState.Cancelled, (await site.FinishedAsync(id)).State);
    }

    [Fact]
    public async Task A_node_that_runs_no_jobs_cancels_what_runs_on_another()
    {
        var site = await shared.FreshAsync();
        await using var elsewhere =
            await HostUnderTest.StartAsync(new() { ["ConnectionStrings:Stoa"] = site.ConnectionString, ["Stoa:Role"] = "api" });
        site.Script.Acts["long"] = (_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        var id = await site.EnqueueAsync("long");
        await site.UntilAsync(id, job => job.State is JobState.Running);

        Assert.True(await elsewhere.Services.GetRequiredService<JobActs>().CancelAsync(id, null, "key:1", Ct));

        Assert.Equal(JobState.Cancelled, (await site.FinishedAsync(id)).State);
    }

    [Fact]
    public async Task A_cancellation_of_which_no_word_came_is_noticed_all_the_same()
    {
        var site = await shared.FreshAsync();
        site.Script.Acts["long"] = (_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        var id = await site.EnqueueAsync("long");
        await site.UntilAsync(id, job => job.State is JobState.Running);

        await site.ExecuteAsync("update platform.jobs set cancel_requested_at = now()");

        Assert.Equal(JobState.Cancelled, (await site.FinishedAsync(id)).State);
    }

    [Fact]
    public async Task Runs_waits_and_depths_are_measured_by_kind()
    {
        var site = await shared.FreshAsync();
        site.Script.Acts["bad"] = (_, _) => throw JobFailure.Dead("It cannot be");
        await site.FinishedAsync(await site.EnqueueAsync("good"));
        await site.FinishedAsync(await site.EnqueueAsync("bad"));

        var text = await site.Host.Internal.GetStringAsync("/metrics", Ct);

        Assert.Contains("""stoa_jobs_ended_total{kind="test.step",how="succeeded"}""", text, StringComparison.Ordinal);
        Assert.Contains("""stoa_jobs_ended_total{kind="test.step",how="dead"}""", text, StringComparison.Ordinal);
        Assert.Contains("""stoa_jobs_wait_seconds_count{kind="test.step"}""", text, StringComparison.Ordinal);
        Assert.Contains("""stoa_jobs_run_seconds_count{kind="test.step"}""", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE stoa_jobs_depth gauge", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE stoa_jobs_oldest_age_seconds gauge", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_whose_failing_run_was_cancelled_does_not_come_back()
    {
        var site = await shared.FreshAsync();
        var gate = new TaskCompletionSource();
        site.Script.Acts["stubborn"] = async (_, _) =>
        {
            await gate.Task;
            throw new InvalidOperationException();
        };
        var id = await site.EnqueueAsync("stubborn");
        await site.UntilAsync(id, job => job.State is JobState.Running);
        await site.ExecuteAsync("update platform.jobs set cancel_requested_at = now()");

        gate.SetResult();

        Assert.Equal(JobState.Cancelled, (await site.FinishedAsync(id)).State);
    }

    [Fact]
    public async Task Strangers_find_no_job()
    {
        var site = await shared.FreshAsync();
        var (mine, yours) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var id = await site.EnqueueAsync("mine", new() { Owner = new(mine), Delay = TimeSpan.FromHours(1) });

        Assert.NotNull(await site.Store.FindAsync(id, new(mine, null, IsHost: false), Ct));
        Assert.Null(await site.Store.FindAsync(id, new(yours, null, IsHost: false), Ct));
        Assert.Empty((await site.Store.ListAsync(new() { OrganizationId = yours }, Ct)).Items);
        var failure = await Assert.ThrowsAsync<Failure>(() => site.Acts.CancelAsync(id, new(yours, null, IsHost: false), "key:1", Ct));
        Assert.Equal(FailureKind.NotFound, failure.Kind);
        Assert.Single((await site.Store.ListAsync(new() { OrganizationId = mine }, Ct)).Items);
    }

    [Fact]
    public async Task A_dead_job_is_replayed_with_edited_arguments_as_a_new_one()
    {
        var site = await shared.FreshAsync();
        site.Script.Acts["bad"] = (_, _) => throw JobFailure.Dead("on purpose");
        var dead = await site.FinishedAsync(await site.EnqueueAsync("bad", new() { Owner = new(Tenant: "t") }));

        using var edited = JsonDocument.Parse("""{"name": "better"}""");
        var id = await site.Acts.ReplayAsync(dead.Id, null, edited.RootElement, "key:1", Ct);
        var again = await site.FinishedAsync(id);
        using var wrong = JsonDocument.Parse("""{"name": 7}""");
        var failure = await Assert.ThrowsAsync<Failure>(() => site.Acts.ReplayAsync(dead.Id, null, wrong.RootElement, "key:1", Ct));

        Assert.Equal(JobState.Succeeded, again.State);
        Assert.Equal(dead.Id, again.ReplayOf);
        Assert.Equal(("t", "key:1"), (again.Owner.Tenant, again.Owner.CreatedBy));
        Assert.Equal(JobState.Dead, (await site.Store.FindAsync(dead.Id, null, Ct))!.State);
        Assert.Equal(FailureKind.Invalid, failure.Kind);
    }

    [Fact]
    public async Task A_replayed_job_counts_among_the_runs_of_its_limit_key()
    {
        await using var site = await JobsSite.StartAsync(rules: JobsSite.Quick with { MaxRunningPerKey = 1 });
        var isBroken = true;
        site.Script.Acts["bad"] = (_, _) => isBroken ? throw JobFailure.Dead("on purpose") : Task.CompletedTask;
        var dead = await site.FinishedAsync(await site.EnqueueAsync("bad", new() { LimitKey = "lion", Priority = JobPriority.High }));
        isBroken = false;

        var one = await site.FinishedAsync(await site.Acts.ReplayAsync(dead.Id, null, null, "key:1", Ct));
        await site.Acts.ReplayManyAsync(new() { Kind = "test.step" }, "key:1", Ct);
        await site.QuietAsync();

        Assert.Equal(("lion", JobPriority.High), (one.LimitKey, one.Priority));
        Assert.Equal(
            3, await site.ScalarAsync<long>("select count(*) from platform.finished_jobs where limit_key = 'lion' and priority = 0"));
    }

    [Fact]
    public async Task A_search_goes_on_from_page_to_page_until_every_job_was_looked_at()
    {
        var site = await shared.FreshAsync();
        await site.FinishedAsync(await site.EnqueueAsync("needle one"));
        await site.EnqueueAsync("needle two", new() { Delay = TimeSpan.FromHours(1), Owner = new(Tenant: "hay") });
        // Later ids than any that is made now.
        await site.ExecuteAsync($$"""
            insert into platform.jobs (id, kind, state, priority, run_at, args, tenant, created_by, max_attempts)
            select ('ffffffff-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'test.step', 'available', 1, now() + interval '1 day',
              '{"name": "hay"}', '', 'test', 1 from generate_series(1, {{JobStore.Window + 1}}) n
            """);

        Assert.Equal((3, "needle two, needle one"), await SearchAsync(site, new() { Text = "needle" }));
        Assert.Equal((2, "needle two"), await SearchAsync(site, new() { Tenant = "hay", States = [JobState.Available] }));
        Assert.Equal((1, "needle one"), await SearchAsync(site, new() { Text = "needle", States = [JobState.Succeeded] }));
    }

    /// <summary>How many pages there are, and what is on them.</summary>
    private static async Task<(int Pages, string Names)> SearchAsync(JobsSite site, JobFilter filter)
    {
        List<string> names = [];
        for (var pages = 1; ; pages++)
        {
            var page = await site.Store.ListAsync(filter with { Limit = 1 }, Ct);
            names.AddRange(page.Items.Select(job => job.Args.GetProperty("name").GetString()!));
            if (page.Next is null)
            {
                return (pages, string.Join(", ", names));
            }
            filter = filter with { BeforeId = page.Next };
        }
    }

    [Fact]
    public async Task A_job_whose_turn_comes_later_than_it_may_wait_is_dead_without_a_run()
    {
        await using var site = await JobsSite.StartAsync(rules: JobsSite.Quick with { MaxWait = TimeSpan.FromMinutes(1) });
        await site.Acts.PauseAsync("test.step", "test", Ct);
        var late = await site.EnqueueAsync("late");
        var inTime = await site.EnqueueAsync("in time");
        await site.ExecuteAsync($"update platform.jobs set run_at = now() - interval '2 minutes' where id = '{late}'");

        await site.Acts.ResumeAsync("test.step", "test", Ct);

        Assert.Equal(JobState.Dead, (await site.FinishedAsync(late)).State);
        Assert.Equal(JobState.Succeeded, (await site.FinishedAsync(inTime)).State);
        Assert.Equal(["in time"], site.Script.Ran);
    }

    [Fact]
    public async Task Dead_letters_are_found_by_their_words_and_cause_and_replayed_together()
    {
        var site = await shared.FreshAsync();
        var isBroken = true;
        foreach (var name in (string[])["tiger 1", "tiger 2", "lion 3"])
        {
            site.Script.Acts[name] = (_, _) => isBroken ? throw JobFailure.Dead($"Cage {name} is open") : Task.CompletedTask;
            await site.FinishedAsync(await site.EnqueueAsync(name));
        }

        var tigers = (await site.Store.ListAsync(new() { Text = "tiger" }, Ct)).Items;
        var cause = (await site.Store.ListAsync(new() { Fingerprint = tigers[0].Fingerprint }, Ct)).Items;
        isBroken = false;
        var replayed = await site.Acts.ReplayManyAsync(new() { Fingerprint = tigers[0].Fingerprint }, "key:1", Ct);
        await JobsSite.UntilAsync(async () => (await site.Store.ListAsync(new() { States = [JobState.Succeeded] }, Ct)).Items.Count == 2);

        Assert.Equal(["tiger 2", "tiger 1"], tigers.Select(job => job.Args.GetProperty("name").GetString()));
        Assert.Equal(2, cause.Count);
        Assert.Equal(2, replayed);
    }

    [Fact]
    public async Task Lists_are_paged_by_id_and_filtered()
    {
        var site = await shared.FreshAsync();
        await site.Acts.PauseAsync("test.step", "test", Ct);
        List<Guid> ids = [];
        for (var number = 0; number < 5; number++)
        {
            ids.Add(await site.EnqueueAsync($"{number}"));
        }

        var first = (await site.Store.ListAsync(new() { Limit = 3, Kind = "test.step" }, Ct)).Items;
        var second = (await site.Store.ListAsync(new() { Limit = 3, Kind = "test.step", BeforeId = first[^1].Id }, Ct)).Items;
        var none = (await site.Store.ListAsync(new() { CreatedBefore = first[^1].CreatedAt.AddHours(-1) }, Ct)).Items;
        var running = (await site.Store.ListAsync(new() { States = [JobState.Running, JobState.Dead] }, Ct)).Items;

        // Of one millisecond, chance decides which id is the later.
        Assert.Equal(ids.OrderDescending(), first.Concat(second).Select(job => job.Id));
        Assert.Empty(none);
        Assert.Empty(running);
    }

    [Fact]
    public async Task A_retry_is_brought_forward()
    {
        var site = await shared.FreshAsync();
        var id = await site.EnqueueAsync("later", new() { Delay = TimeSpan.FromHours(1) });

        Assert.Equal(id, await site.Acts.RetryAsync(id, null, "key:1", Ct));

        Assert.Equal(JobState.Succeeded, (await site.FinishedAsync(id)).State);
    }

    [Fact]
    public async Task A_kind_that_nobody_knows_is_parked_and_runs_when_somebody_does()
    {
        var site = await shared.FreshAsync();
        await site.Acts.PauseAsync("test.step", "test", Ct);
        var id = await site.EnqueueAsync("old");
        await site.ExecuteAsync("update platform.jobs set kind = 'test.gone'");
        await site.UntilAsync(id, job => job.State is JobState.Parked);
        await site.Acts.ResumeAsync("test.step", "test", Ct);

        await site.ExecuteAsync("update platform.jobs set kind = 'test.step'");

        Assert.Equal(JobState.Succeeded, (await site.FinishedAsync(id)).State);
    }

    [Fact]
    public async Task The_overview_counts_and_tells_who_is_late()
    {
        await using var site = await JobsSite.StartAsync(JobsSite.Quick with { LateAfter = TimeSpan.FromMilliseconds(1) });
        await site.EnqueueAsync("later", new() { Delay = TimeSpan.FromHours(1) });

        await JobsSite.UntilAsync(async () => (await site.Store.OverviewAsync(Ct))
            .Any(kind => kind is { Kind: "test.step", Available: 1, IsLate: true }));
        await site.Acts.PauseAsync("test.step", "key:1", Ct);
        var paused = (await site.Store.OverviewAsync(Ct)).Single(kind => kind.Kind == "test.step");

        Assert.Equal("key:1", paused.PausedBy);
        Assert.False(paused.IsLate);
    }
}
