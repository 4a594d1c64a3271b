using Stoa.JobsRig;

namespace Stoa.Tests.Jobs;

/// <summary>
/// Three nodes at work while they are killed and frozen, clocks jump, the database restarts and connections are cut; a ledger shows that
/// the invariants held. <c>STOA_CHAOS_SEED</c> repeats a run as far as chance allows.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Whatever_happens_to_nodes_and_database_every_job_comes_to_one_end_and_every_effect_happens_once()
    {
        var report = await ChaosRun.PlayAsync(30, Mutant.None, output);

        Assert.Empty(report.Violations);
        Assert.NotEqual(0, report.Effects);
        Assert.NotEqual(0, report.Lost);
    }
}
