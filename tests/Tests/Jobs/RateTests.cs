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
        one.Script.Acts["call"] = other.Script.Acts["call"] = (context, ct) =>
            context.TakePermitAsync("provider:tenant", Permits, Hour, ct);

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

    [Fact]
    public async Task Who_leaves_some_to_others_finds_none_where_they_find_one_and_who_cannot_wait_has_them_wait()
    {
        await using var site = await JobsSite.StartAsync(JobsSite.Quick with { MaxAttempts = 1 });
        site.Script.Acts["urgent"] = (context, ct) => context.TakePermitAsync("shared", 4, Hour, ct);
        site.Script.Acts["patient"] = (context, ct) => context.TakePermitAsync("shared", 4, Hour, spare: 2, ct);
        site.Script.Acts["impatient"] = (context, ct) => context.OwePermitAsync("shared", 4, Hour, ct);

        await site.FinishedAsync(await site.EnqueueAsync("patient"));
        await site.FinishedAsync(await site.EnqueueAsync("patient"));
        await WaitsAsync("patient", "14 minutes", "16 minutes");
        await site.FinishedAsync(await site.EnqueueAsync("urgent"));
        for (var number = 0; number < 5; number++)
        {
            await site.FinishedAsync(await site.EnqueueAsync("impatient"));
        }
        // Four permits were there, and four more are owed.
        await WaitsAsync("urgent", "70 minutes", "80 minutes");

        async Task WaitsAsync(string name, string least, string most)
        {
            var id = await site.EnqueueAsync(name);
            await JobsSite.UntilAsync(() => site.ScalarAsync<bool>($"""
                select exists (select from platform.jobs where id = '{id}' and state = 'available' and snoozed = 1
                  and run_at - now() between interval '{least}' and interval '{most}')
                """));
        }
    }

    [Fact]
    public async Task A_place_is_held_until_its_run_leaves_it_ends_or_dies()
    {
        await using var site = await JobsSite.StartAsync(JobsSite.Quick with { MaxAttempts = 1 });
        var release = new TaskCompletionSource();
        site.Script.Acts["hold"] = async (context, ct) =>
        {
            await context.TakePlaceAsync("desk", 2, spare: 0, ct);
            await release.Task.WaitAsync(ct);
        };
        site.Script.Acts["leave"] = async (context, ct) =>
        {
            await context.TakePlaceAsync("desk", 2, spare: 0, ct);
            await context.LeavePlaceAsync("desk", ct);
        };
        site.Script.Acts["patient"] = (context, ct) => context.TakePlaceAsync("desk", 2, spare: 1, ct);
        // As if the host of an older run had died with a place.
        await site.ExecuteAsync(
            "insert into platform.job_keys (kind, key, job_id, until) select 'places of desk', id::text, id, now() + interval '1 day' from gen_random_uuid() id");

        var held = await site.EnqueueAsync("hold");
        await JobsSite.UntilAsync(() => site.ScalarAsync<bool>("select count(*) = 1 from platform.job_keys where kind = 'places of desk'"));
        await site.FinishedAsync(await site.EnqueueAsync("leave"));
        await site.FinishedAsync(await site.EnqueueAsync("leave"));
        var patient = await site.EnqueueAsync("patient");
        await site.UntilAsync(patient, job => job.Snoozed > 1);
        release.SetResult();

        Assert.Equal(JobState.Succeeded, (await site.FinishedAsync(held)).State);
        Assert.Equal(JobState.Succeeded, (await site.FinishedAsync(patient)).State);
    }

    [Fact]
    public async Task A_setting_limits_a_kind_and_one_of_no_kind_stops_the_start()
    {
        await using var site =
            await JobsSite.StartAsync(settings: new() { ["Jobs:MaxRunning:test.step"] = "2", ["Jobs:MaxRunning:test.narrow"] = "5" });
        var release = new TaskCompletionSource();
        site.Script.Acts["step"] = (_, ct) => release.Task.WaitAsync(ct);
        for (var number = 0; number < 5; number++)
        {
            await site.EnqueueAsync("step");
        }
        await JobsSite.UntilAsync(() => Task.FromResult(site.Script.MostAtOnce == 2));
        release.SetResult();
        await site.QuietAsync();

        Assert.Equal((2, 5), (site.Script.MostAtOnce, site.Script.Ran.Count));
        await Assert.ThrowsAsync<Stoa.Platform.Hosting.WrongSettingException>(
            () => JobsSite.StartAsync(settings: new() { ["Jobs:MaxRunning:test.none"] = "2" }));
    }

    /// <summary>So many have succeeded, and all others wait for their time.</summary>
    private static Task SettledAsync(JobsSite site, int done) => JobsSite.UntilAsync(() => site.ScalarAsync<bool>($"""
        select (select count(*) from platform.finished_jobs where state = 'succeeded') = {done}
          and (select count(*) from platform.jobs where state = 'available' and run_at > now()) = {20 - done}
        """));
}
