using System.Globalization;
using Stoa.JobsRig;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

internal static class ChaosRun
{
    private static readonly int Seed =
        int.TryParse(Environment.GetEnvironmentVariable("STOA_CHAOS_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed)
            ? seed
            : Random.Shared.Next(1_000_000);

    public static Task<ChaosReport> PlayAsync(int seconds, Mutant mutant, ITestOutputHelper output) =>
        new Chaos(seconds, Seed, mutant, Repository.Shared("tools/chaos_proxy.py"), output.WriteLine)
            .PlayAsync(TestContext.Current.CancellationToken);
}
