using System.Globalization;
using Stoa.JobsRig;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

/// <summary>
/// Three nodes at work while they are killed and frozen, clocks jump, the database restarts and connections are cut; a ledger shows that
/// the invariants held, and that it would have noticed if they had not. <c>STOA_CHAOS_SEED</c> repeats a run as far as chance allows.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    private static readonly int Seed =
        int.TryParse(Environment.GetEnvironmentVariable("STOA_CHAOS_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed)
            ? seed
            : Random.Shared.Next(1_000_000);

    [Fact]
    public async Task Whatever_happens_to_nodes_and_database_every_job_comes_to_one_end_and_every_effect_happens_once()
    {
        var report = await PlayAsync(30, Mutant.None);

        Assert.Empty(report.Violations);
        Assert.NotEqual(0, report.Effects);
        Assert.NotEqual(0, report.Lost);
    }

    [Theory]
    [InlineData(Mutant.NoFence)]
    [InlineData(Mutant.CompleteFirst)]
    [InlineData(Mutant.EnqueueOutside)]
    public async Task A_worker_that_breaks_the_rules_is_found_out(Mutant mutant)
    {
        // It ends with the first violation; that takes seconds.
        var report = await PlayAsync(90, mutant);

        Assert.NotEmpty(report.Violations);
    }

    private Task<ChaosReport> PlayAsync(int seconds, Mutant mutant) =>
        new Chaos(seconds, Seed, mutant, Repository.Shared("tools/chaos_proxy.py"), output.WriteLine).PlayAsync(TestContext.Current.CancellationToken);
}
