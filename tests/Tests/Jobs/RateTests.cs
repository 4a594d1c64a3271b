using Stoa.Platform.Jobs;

namespace Stoa.Tests.Jobs;

public sealed class RateTests
{
    private const int Permits = 5;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Jobs_of_all_nodes_share_a_rate_and_those_it_has_no_room_for_come_back_one_after_the_other()
    {
        await using var one = await JobsSite.StartAsync();
        await using var other = await JobsSite.StartAsync(settings: new() { ["ConnectionStrings:Stoa"] = one.ConnectionString });
        one.Script.Acts["call"] = other.Script.Acts["call"] = (context, ct) => context.TakePermitAsync("provider:tenant", Permits, Hour, ct);

        await one.Queue.EnqueueAsync([.. Enumerable.Range(0, 20).Select(_ => one.Queue.Make(new Step("call")))], Ct);
        await SettledAsync(one, done: 5);
        Assert.Equal(0L, await one.ScalarAsync<long>("select count(*) from platform.jobs where attempt - snoozed <> 0"));
        Assert.Equal(
            14L,
            await one.ScalarAsync<long>("""
                select count(*) from (select run_at - lag(run_at) over (order by run_at) as gap from platform.jobs) gaps
                where gap > interval '11 minutes' and gap < interval '13 minutes'
                """));

        // As if so much time had passed: two permits.
        await one.ExecuteAsync("""
            update platform.job_keys set until = until - interval '25 minutes';
            update platform.jobs set run_at = run_at - interval '25 minutes';
            """);
        await SettledAsync(one, done: 7);
    }

    [Fact]
    public async Task Nobody_waits_for_a_permit_of_another_name_and_a_rate_must_be_one()
    {
        await using var site = await JobsSite.StartAsync(JobsSite.Quick with { MaxAttempts = 1 });
        site.Script.Acts["a"] = (context, ct) => context.TakePermitAsync("a", 1, Hour, ct);
        site.Script.Acts["b"] = (context, ct) => context.TakePermitAsync("b", 1, Hour, ct);
        site.Script.Acts["none"] = (context, ct) => context.TakePermitAsync("none", 0, Hour, ct);

        Assert.Equal(JobState.Succeeded, (await site.FinishedAsync(await site.EnqueueAsync("a"))).State);
        Assert.Equal(JobState.Succeeded, (await site.FinishedAsync(await site.EnqueueAsync("b"))).State);
        Assert.Equal(JobState.Dead, (await site.FinishedAsync(await site.EnqueueAsync("none"))).State);
    }

    /// <summary>So many have succeeded, and all others wait for their time.</summary>
    private static Task SettledAsync(JobsSite site, int done) => JobsSite.UntilAsync(() => site.ScalarAsync<bool>($"""
        select (select count(*) from platform.finished_jobs where state = 'succeeded') = {done}
          and (select count(*) from platform.jobs where state = 'available' and run_at > now()) = {20 - done}
        """));
}
