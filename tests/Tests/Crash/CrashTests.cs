using System.Globalization;
using Stoa.Tests.Support;

namespace Stoa.Tests.Crash;

/// <summary>
/// Usage survives the death of everything around it. <c>STOA_CRASH_SEED</c> repeats a run, <c>STOA_CRASH_CALLS</c> lengthens it.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    private static readonly int Calls = Number("STOA_CRASH_CALLS") ?? 5_000;

    [Fact]
    public async Task Every_answered_call_is_counted_exactly_once_whatever_was_killed()
    {
        var seed = Number("STOA_CRASH_SEED") ?? Random.Shared.Next(1_000_000);
        output.WriteLine($"STOA_CRASH_SEED={seed.ToString(CultureInfo.InvariantCulture)}");
        await using var provider = await ScriptedProvider.StartAsync();
        await using var host = await StartAsync(provider);
        var traffic = new Traffic(host, "openai/crash");

        var work = traffic.RunUntilAsync(Calls);
        await KillInTheMiddleAsync(host, traffic, new Random(seed));
        await work;

        using var client = host.CreateClient();
        var counts = await traffic.SettledCountsAsync(client);
        var missing = traffic.Answered.Where(id => !counts.ContainsKey(id)).ToList();
        var doubled = counts.Where(pair => pair.Value > 1).ToList();
        output.WriteLine($"{traffic.Answered.Count} answered, {traffic.Failed} not, {counts.Count} counted.");
        Assert.Empty(missing);
        Assert.Empty(doubled);
    }

    [Fact]
    public async Task While_the_database_hangs_a_warm_key_gets_answers_and_their_usage_arrives_later()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        await using var host = await StartAsync(provider);
        var traffic = new Traffic(host, "openai/crash");
        await traffic.RunUntilAsync(50);

        await host.FreezePostgresAsync();
        await traffic.RunUntilAsync(500);
        var failedMeanwhile = traffic.Failed;
        await host.ThawPostgresAsync();

        Assert.Equal(0, failedMeanwhile);
        using var client = host.CreateClient();
        var counts = await traffic.SettledCountsAsync(client);
        Assert.All(traffic.Answered, id => Assert.Equal(1, counts.GetValueOrDefault(id)));
    }

    private static Task<HostProcess> StartAsync(ScriptedProvider provider) =>
        HostProcess.StartAsync(HostProcess.ProviderSettings("openai", "openai", provider).ToDictionary(StringComparer.Ordinal));

    /// <summary>The server, then the host, then both: each at a random point of its third of the run.</summary>
    private static async Task KillInTheMiddleAsync(HostProcess host, Traffic traffic, Random random)
    {
        var third = Calls / 3;
        await traffic.WaitUntilAnsweredAsync(random.Next(third / 10, third));
        await host.KillPostgresAsync();

        await traffic.WaitUntilAnsweredAsync(third + random.Next(third / 10, third));
        await host.KillAsync();
        await host.StartAgainAsync();

        await traffic.WaitUntilAnsweredAsync((2 * third) + random.Next(third / 10, third));
        await host.KillPostgresAsync();
        await host.KillAsync();
        await host.StartAgainAsync();
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : null;
}
