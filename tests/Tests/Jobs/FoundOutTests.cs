using Stoa.JobsRig;

namespace Stoa.Tests.Jobs;

/// <summary>
/// The ledger of <see cref="ChaosTests"/> would have noticed a broken invariant. A class of its own, so that both play at once.
/// </summary>
public sealed class FoundOutTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(Mutant.NoFence)]
    [InlineData(Mutant.CompleteFirst)]
    [InlineData(Mutant.EnqueueOutside)]
    public async Task A_worker_that_breaks_the_rules_is_found_out(Mutant mutant)
    {
        // It ends with the first violation; that takes seconds.
        var report = await ChaosRun.PlayAsync(90, mutant, output);

        Assert.NotEmpty(report.Violations);
    }
}
