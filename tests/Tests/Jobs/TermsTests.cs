using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Tests.Jobs;

/// <summary>What an enqueue can ask for.</summary>
public sealed class TermsTests(SharedJobs shared) : IClassFixture<SharedJobs>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task More_urgent_jobs_run_first_and_equal_ones_in_their_order()
    {
        await using var site = await JobsSite.StartAsync(settings: new() { ["Jobs:Workers"] = "1" });
        var gate = new TaskCompletionSource();
        site.Script.Acts["first"] = (_, ct) => gate.Task.WaitAsync(ct);
        await site.UntilAsync(await site.EnqueueAsync("first"), job => job.State is JobState.Running);

        await site.EnqueueAsync("bulk", new() { Priority = JobPriority.Bulk });
        await site.EnqueueAsync("normal 1");
        await site.EnqueueAsync("normal 2");
        await site.EnqueueAsync("high", new() { Priority = JobPriority.High });
        var last = await site.EnqueueAsync("last", new() { Priority = JobPriority.Bulk });
        gate.SetResult();
        await site.FinishedAsync(last);

        Assert.Equal(["first", "high", "normal 1", "normal 2", "bulk", "last"], site.Script.Ran);
    }

    [Fact]
    public async Task A_delayed_job_does_not_run_before_its_time()
    {
        var site = await shared.FreshAsync();

        var late = await site.EnqueueAsync("late", new() { Delay = TimeSpan.FromMilliseconds(300) });
        var job = await site.FinishedAsync(late);

        Assert.True(job.StartedAt >= job.CreatedAt + TimeSpan.FromMilliseconds(300));
    }

    [Fact]
    public async Task A_worker_that_nobody_calls_sees_what_is_due_of_its_kinds_and_no_other()
    {
        var site = await shared.FreshAsync();
        var kinds = site.Host.Services.GetRequiredService<JobKinds>();
        JobKind[] free = [kinds.Find("test.step")!], limited = [kinds.Find("test.narrow")!];
        var claims = new JobClaims(site.Source, "nobody");
        await site.Acts.PauseAsync("test.step", "test", Ct);
        await site.Acts.PauseAsync("test.narrow", "test", Ct);

        await site.EnqueueAsync("later", new() { Delay = TimeSpan.FromHours(1) });
        Assert.False(await claims.IsAnyDueAsync(free, limited, Ct));
        await site.EnqueueAsync("bulk", new() { Priority = JobPriority.Bulk });
        Assert.True(await claims.IsAnyDueAsync(free, [], Ct));
        Assert.False(await claims.IsAnyDueAsync([], limited, Ct));
        await site.Queue.EnqueueAsync(new Narrow("narrow"), null, Ct);
        Assert.True(await claims.IsAnyDueAsync([], limited, Ct));
    }

    [Fact]
    public async Task The_first_and_the_last_instant_of_the_calendar_stop_nobody()
    {
        var site = await shared.FreshAsync();

        await site.EnqueueAsync("never", new() { RunAt = DateTimeOffset.MaxValue });
        await site.FinishedAsync(await site.EnqueueAsync("overdue", new() { RunAt = DateTimeOffset.MinValue }));
        await site.FinishedAsync(await site.EnqueueAsync("next"));

        Assert.Equal(["overdue", "next"], site.Script.Ran);
    }

    [Fact]
    public async Task Of_jobs_that_are_added_together_all_are_taken_or_none()
    {
        var site = await shared.FreshAsync();
        await site.Acts.PauseAsync("test.step", "test", Ct);
        // The database takes no such sign, and those with a key are written after those without.
        var (good, bad) = (new Step("good"), new Step("\0"));

        await Assert.ThrowsAsync<PostgresException>(
            () => site.Queue.EnqueueAsync([site.Queue.Make(good), site.Queue.Make(bad, new() { UniqueKey = "k" })], Ct));
        await using (var scope = site.Host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<DeedsDb>();
            db.Enqueue(good);
            db.Enqueue(bad, new() { UniqueKey = "k" });
            await Assert.ThrowsAsync<PostgresException>(() => db.SaveChangesAsync(Ct));
        }

        Assert.Equal(0, await site.ScalarAsync<long>("select count(*) from platform.jobs where kind = 'test.step'"));
    }

    [Theory]
    [InlineData(UniqueMode.Reject, "one")]
    [InlineData(UniqueMode.Coalesce, "one")]
    [InlineData(UniqueMode.Replace, "two")]
    public async Task Of_jobs_with_one_key_one_waits(UniqueMode mode, string runs)
    {
        var site = await shared.FreshAsync();
        await site.Acts.PauseAsync("test.step", "test", Ct);

        var one = await site.Queue.EnqueueAsync(new Step("one"), new() { UniqueKey = "k", UniqueMode = mode }, Ct);
        var two = await site.Queue.EnqueueAsync(new Step("two"), new() { UniqueKey = "k", UniqueMode = mode }, Ct);
        await site.Acts.ResumeAsync("test.step", "test", Ct);
        await site.FinishedAsync(one.Id);

        Assert.True(one.IsNew);
        Assert.False(two.IsNew);
        Assert.Equal(one.Id, two.Id);
        Assert.Equal([runs], site.Script.Ran);
    }

    [Theory]
    [InlineData(UniqueMode.Reject, new[] { "one" })]
    [InlineData(UniqueMode.Coalesce, new[] { "one", "three" })]
    [InlineData(UniqueMode.Replace, new[] { "one", "three" })]
    public async Task A_key_that_is_running_runs_at_most_once_more(UniqueMode mode, string[] runs)
    {
        var site = await shared.FreshAsync();
        var gate = new TaskCompletionSource();
        site.Script.Acts["one"] = (_, ct) => gate.Task.WaitAsync(ct);
        EnqueueOptions options = new() { UniqueKey = "k", UniqueMode = mode };
        var one = await site.EnqueueAsync("one", options);
        await site.UntilAsync(one, job => job.State is JobState.Running);

        await site.EnqueueAsync("two", options);
        await site.EnqueueAsync("three", options);
        gate.SetResult();
        await site.FinishedAsync(one);
        await site.QuietAsync();

        Assert.Equal(runs, site.Script.Ran);
    }

    [Fact]
    public async Task A_slot_is_taken_for_its_period_also_when_its_job_has_finished()
    {
        var site = await shared.FreshAsync();
        EnqueueOptions options = new() { UniqueKey = "2026-01-01", UniqueFor = TimeSpan.FromDays(1) };

        var one = await site.Queue.EnqueueAsync(new Step("one"), options, Ct);
        await site.FinishedAsync(one.Id);
        var two = await site.Queue.EnqueueAsync(new Step("two"), options, Ct);
        await site.ExecuteAsync("update platform.job_keys set until = now() - interval '1 second'");
        var three = await site.Queue.EnqueueAsync(new Step("three"), options, Ct);

        Assert.Equal((one.Id, false), (two.Id, two.IsNew));
        Assert.True(three.IsNew);
    }

    [Theory]
    [InlineData(false, true, true)]
    [InlineData(true, true, false)]
    [InlineData(false, false, false)]
    public async Task A_key_is_given_up_by_an_end_that_does_not_count(bool succeeds, bool onlySuccessCounts, bool isFree)
    {
        var site = await shared.FreshAsync();
        site.Script.Acts["one"] = (_, _) => succeeds ? Task.CompletedTask : throw JobFailure.Dead("on purpose");
        EnqueueOptions options = new() { UniqueKey = "k", UniqueFor = TimeSpan.FromDays(1) };
        options = onlySuccessCounts ? options with { UniqueIn = [JobState.Succeeded] } : options;

        var one = await site.EnqueueAsync("one", options);
        await site.FinishedAsync(one);
        var two = await site.Queue.EnqueueAsync(new Step("two"), options, Ct);
        await site.FinishedAsync(two.Id);
        var three = await site.Queue.EnqueueAsync(new Step("three"), options, Ct);

        Assert.Equal(isFree, two.IsNew);
        Assert.Equal(isFree ? two.Id : one, three.Id);
        Assert.False(three.IsNew);
    }

    [Fact]
    public async Task An_unfinished_job_keeps_its_key_whatever_ends_count()
    {
        var site = await shared.FreshAsync();
        await site.Acts.PauseAsync("test.step", "test", Ct);
        EnqueueOptions options = new() { UniqueKey = "k", UniqueFor = TimeSpan.FromDays(1), UniqueIn = [] };

        var one = await site.Queue.EnqueueAsync(new Step("one"), options, Ct);
        var two = await site.Queue.EnqueueAsync(new Step("two"), options, Ct);
        await site.Acts.ResumeAsync("test.step", "test", Ct);
        await site.FinishedAsync(one.Id);
        var three = await site.Queue.EnqueueAsync(new Step("three"), options, Ct);

        Assert.Equal((one.Id, false), (two.Id, two.IsNew));
        Assert.True(three.IsNew);
    }

    [Fact]
    public async Task Many_jobs_are_added_at_once_and_equal_keys_among_them_are_one_job()
    {
        var site = await shared.FreshAsync();
        await site.Acts.PauseAsync("test.step", "test", Ct);

        NewJob[] jobs =
        [
            .. Enumerable.Range(0, 1000).Select(number => site.Queue.Make(new Step($"{number}"))),
            .. Enumerable.Range(0, 10).Select(number => site.Queue.Make(new Step($"same {number}"), new() { UniqueKey = "same" })),
        ];
        await site.Queue.EnqueueAsync(jobs, Ct);

        Assert.Equal(1001, await site.ScalarAsync<long>("select count(*) from platform.jobs"));
        Assert.Equal(1001, jobs.Count(job => job.Receipt.IsNew));
        Assert.Single(jobs[1000..].Select(job => job.Receipt.Id).Distinct());
    }

    [Fact]
    public async Task What_follows_a_job_runs_on_the_end_it_waits_for_and_is_cancelled_on_the_other()
    {
        var site = await shared.FreshAsync();
        site.Script.Acts["bad"] = (_, _) => throw JobFailure.Dead("on purpose");
        await site.Acts.PauseAsync("test.step", "test", Ct);
        var good = await site.EnqueueAsync("good");
        var bad = await site.EnqueueAsync("bad");

        var afterGood = await site.EnqueueAsync("after good", new() { After = good });
        var afterBad = await site.EnqueueAsync("after bad", new() { After = bad });
        var afterAfterBad = await site.EnqueueAsync("after after bad", new() { After = afterBad });
        var mending = await site.EnqueueAsync("mending", new() { After = bad, AfterOutcome = AfterOutcome.Failed });
        await site.Acts.ResumeAsync("test.step", "test", Ct);

        Assert.Equal(JobState.Succeeded, (await site.FinishedAsync(afterGood)).State);
        Assert.Equal(JobState.Cancelled, (await site.FinishedAsync(afterBad)).State);
        Assert.Equal(JobState.Cancelled, (await site.FinishedAsync(afterAfterBad)).State);
        Assert.Equal(JobState.Succeeded, (await site.FinishedAsync(mending)).State);
        Assert.Equal(["after good", "bad", "good", "mending"], site.Script.Ran.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_follows_a_job_that_has_finished_already_runs_too()
    {
        var site = await shared.FreshAsync();
        var good = await site.EnqueueAsync("good");
        await site.FinishedAsync(good);

        var after = await site.EnqueueAsync("after", new() { After = good });

        Assert.Equal(JobState.Succeeded, (await site.FinishedAsync(after)).State);
    }

    [Fact]
    public async Task A_job_that_grew_too_old_is_dead_without_running()
    {
        var site = await shared.FreshAsync();
        await site.Acts.PauseAsync("test.step", "test", Ct);

        var job = await site.FinishedAsync(await site.EnqueueAsync("old", new() { MaxAge = TimeSpan.FromMilliseconds(1) }));

        Assert.Equal(JobState.Dead, job.State);
        Assert.Empty(site.Script.Ran);
    }

    [Theory]
    [InlineData(1, null, null, 1)]
    [InlineData(null, 2, null, 4)]
    [InlineData(null, null, 3, 6)]
    [InlineData(5, 3, 3, 5)]
    public async Task Never_more_run_than_the_limits_allow(int? cluster, int? perTenant, int? perKey, int most)
    {
        JobRules rules = new() { MaxRunning = cluster, MaxRunningPerTenant = perTenant, MaxRunningPerKey = perKey };
        await using var site = await JobsSite.StartAsync(narrow: rules, settings: new() { ["Jobs:Workers"] = "16" });
        var gate = new TaskCompletionSource();
        site.Script.Acts["run"] = (_, ct) => gate.Task.WaitAsync(ct);

        // Two tenants, each with the same two keys.
        NewJob[] jobs =
        [
            .. from number in Enumerable.Range(0, 10)
               from tenant in (string[])["a", "b"]
               from key in (string[])["x", "y"]
               select site.Queue.Make(new Narrow("run"), new() { LimitKey = key, Owner = new(Tenant: tenant) }),
        ];
        await site.Queue.EnqueueAsync(jobs, Ct);
        await JobsSite.UntilAsync(() => Task.FromResult(site.Script.MostAtOnce >= most));
        gate.SetResult();
        await JobsSite.UntilAsync(async () => await site.ScalarAsync<long>("select count(*) from platform.jobs") == 0);

        Assert.Equal(jobs.Length, site.Script.Ran.Count);
        Assert.Equal(most, site.Script.MostAtOnce);
    }

    [Fact]
    public async Task Kinds_of_a_pool_share_what_a_tenant_may_run_at_once()
    {
        var pooled = JobsSite.Quick with { MaxRunningPerTenant = 2, TenantPool = "both" };
        await using var site = await JobsSite.StartAsync(pooled, pooled, new() { ["Jobs:Workers"] = "16" });
        var gate = new TaskCompletionSource();
        site.Script.Acts["run"] = (_, ct) => gate.Task.WaitAsync(ct);
        EnqueueOptions a = new() { Owner = new(Tenant: "a") }, b = new() { Owner = new(Tenant: "b") };

        NewJob[] jobs =
        [
            .. from number in Enumerable.Range(0, 5)
               from owner in (EnqueueOptions[])[a, b]
               from job in (NewJob[])[site.Queue.Make(new Step("run"), owner), site.Queue.Make(new Narrow("run"), owner)]
               select job,
        ];
        await site.Queue.EnqueueAsync(jobs, Ct);
        await JobsSite.UntilAsync(() => Task.FromResult(site.Script.MostAtOnce >= 4));
        Assert.Equal("a 2, b 2", await site.ScalarAsync<string>("""
            select string_agg(tenant || ' ' || runs, ', ' order by tenant) from (
              select tenant, count(*) as runs from platform.jobs where state = 'running' group by tenant) live
            """));
        gate.SetResult();
        await JobsSite.UntilAsync(async () => await site.ScalarAsync<long>("select count(*) from platform.jobs") == 0);

        Assert.Equal(jobs.Length, site.Script.Ran.Count);
        Assert.Equal(4, site.Script.MostAtOnce);
    }
}
