using Stoa.Platform.Jobs;

namespace Stoa.Tests.Jobs;

/// <summary>Versions of the program that limit a kind differently, over one database.</summary>
public sealed class AlignTests
{
    private static readonly JobRules Unlimited = new();
    private static readonly JobRules OneAtATime = new() { MaxRunning = 1 };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_limit_that_comes_or_goes_while_jobs_run_holds_for_those_that_were_added_before()
    {
        await using var before = await JobsSite.StartAsync(narrow: Unlimited, settings: Settings(workers: 2), script: Endless());
        await before.Queue.EnqueueAsync([.. Enumerable.Range(0, 6).Select(_ => before.Queue.Make(new Narrow("run")))], Ct);
        await JobsSite.UntilAsync(() => Task.FromResult(before.Script.MostAtOnce == 2));

        await using var limited = await JobsSite.StartAsync(narrow: OneAtATime, settings: Settings(workers: 8, before), script: Endless());
        // The new version looks at them under its limit, and what the old one runs counts.
        await JobsSite.UntilAsync(
            () => limited.ScalarAsync<bool>("select count(limit_key) = 4 from platform.jobs where state = 'available'"));
        // The old one does the opposite every few seconds, as long as it is there, and holds some that it has not begun.
        Assert.True(await limited.ScalarAsync<long>("select count(*) from platform.jobs where state = 'running'") >= 2);
        Assert.Empty(limited.Script.Ran);
        await before.Host.StopAsync();
        await JobsSite.UntilAsync(() => Task.FromResult(limited.Script.MostAtOnce > 0));
        await JobsSite.UntilAsync(() => limited.ScalarAsync<bool>("select count(*) = 1 from platform.jobs where state = 'running'"));

        await using var free = await JobsSite.StartAsync(narrow: Unlimited, settings: Settings(workers: 8, before), script: Endless());
        await limited.Host.StopAsync();
        await JobsSite.UntilAsync(() => Task.FromResult(free.Script.MostAtOnce == 6));

        Assert.Equal(1, limited.Script.MostAtOnce);
    }

    private static Script Endless() =>
        new() { Acts = { ["run"] = (_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct) } };

    private static Dictionary<string, string?> Settings(int workers, JobsSite? beside = null)
    {
        // A node that could not hand back in time, on a machine that stood still, is waited for no longer than its lease.
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Jobs:Workers"] = $"{workers}", ["Jobs:DrainSeconds"] = "0", ["Jobs:LeaseSeconds"] = "30",
        };
        if (beside is not null)
        {
            settings["ConnectionStrings:Stoa"] = beside.ConnectionString;
        }
        return settings;
    }
}
