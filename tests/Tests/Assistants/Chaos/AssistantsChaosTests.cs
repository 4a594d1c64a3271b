using System.Globalization;
using Npgsql;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Chaos;

/// <summary>
/// Work of all kinds while the host that does it is killed again and again: what was accepted comes to one end and has its effect once. A
/// mail or a notification that was under way may be told again, as the same one.
/// <c>STOA_ASSISTANTS_CHAOS_JOBS</c> lengthens it, <c>STOA_ASSISTANTS_CHAOS_SEED</c> repeats it as far as chance allows.
/// </summary>
public sealed class AssistantsChaosTests(TestCluster cluster, ITestOutputHelper output)
{
    private static readonly int Count = Number("STOA_ASSISTANTS_CHAOS_JOBS") ?? 50;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task Whatever_was_accepted_comes_to_one_end_and_has_its_effect_once_whenever_the_host_is_killed()
    {
        var seed = Number("STOA_ASSISTANTS_CHAOS_SEED") ?? Random.Shared.Next(1_000_000);
        output.WriteLine($"STOA_ASSISTANTS_CHAOS_SEED={seed.ToString(CultureInfo.InvariantCulture)}");
        var database = await cluster.CreateDatabaseAsync();
        await using var site = await ChaosSite.StartAsync(Count);
        var kinds = await Chores.AllAsync(site.Website);
        await using (var source = NpgsqlDataSource.Create(database))
        {
            await using var host = await HostProcess.StartAsync(site.SettingsFor(database));
            await ChaosSite.SeedAsync(source, Count);
            var launch = new ChaosLaunch(
                host, source, [.. Enumerable.Range(1, Count).Select(number => new Chore(kinds[number % kinds.Length], number))]);

            var launching = launch.RunAsync();
            var kills = await KillAsync(host, source, launch, launching, new Random(seed));
            await launching;
            await ChaosAudit.SettleAsync(source);

            output.WriteLine($"{launch.Accepted.Count} accepted, {launch.Unsure.Count} unsure, {kills} kills, {site.Questions} questions");
            Assert.NotEqual(0, kills);
            Assert.Equal(Count, launch.Answered);
            var (faults, toldAgain) = await ChaosAudit.FaultsAsync(source, site, launch, kills);
            output.WriteLine($"{ChaosSite.Text(toldAgain)} mails and notifications were told again, each as the same one");
            Assert.Empty(faults);
            output.WriteLine(await ChaosAudit.SummaryAsync(source));
        }
        await cluster.DropDatabaseAsync(database);
    }

    /// <summary>One time in fifty jobs, three at the least, spread over the whole time that work is asked for and done.</summary>
    private static async Task<int> KillAsync(HostProcess host, NpgsqlDataSource source, ChaosLaunch launch, Task launching, Random random)
    {
        var times = Math.Max(3, Count / 50);
        for (var kill = 1; kill <= times; kill++)
        {
            while (await ChaosAudit.ProgressAsync(source, launch) < (double)kill / (times + 1))
            {
                if (launching.IsCompleted && await ChaosAudit.OpenAsync(source) == 0)
                {
                    return kill - 1;
                }
                await Task.Delay(Moment, TimeProvider.System);
            }
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(200)), TimeProvider.System);
            await host.KillAsync();
            await host.StartAgainAsync();
        }
        return times;
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : null;
}
