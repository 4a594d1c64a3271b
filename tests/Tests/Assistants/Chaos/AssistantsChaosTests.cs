using System.Globalization;
using Npgsql;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Chaos;

/// <summary>
/// Work of all kinds while the host that does it is killed again and again: what was accepted comes to one end and has its effect once. A mail
/// or a notification that was under way may be told again, as the same one.
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
            var launch = new ChaosLaunch(host, source, [.. Enumerable.Range(1, Count).Select(number => new Chore(kinds[number % kinds.Length], number))]);

            var launching = launch.RunAsync();
            var kills = await KillAsync(host, source, launch, launching, new Random(seed));
            await launching;
            await SettleAsync(source);

            output.WriteLine($"{launch.Accepted.Count} accepted, {launch.Unsure.Count} unsure, {kills} kills, {site.Questions} questions");
            Assert.NotEqual(0, kills);
            Assert.Equal(Count, launch.Answered);
            Assert.Empty(await FaultsAsync(source, site, launch, kills));
            output.WriteLine(await SummaryAsync(source));
        }
        await cluster.DropDatabaseAsync(database);
    }

    /// <summary>One time in fifty jobs, three at the least, spread over the whole time that work is asked for and done.</summary>
    private static async Task<int> KillAsync(HostProcess host, NpgsqlDataSource source, ChaosLaunch launch, Task launching, Random random)
    {
        var times = Math.Max(3, Count / 50);
        for (var kill = 1; kill <= times; kill++)
        {
            while (await ProgressAsync(source, launch) < (double)kill / (times + 1))
            {
                if (launching.IsCompleted && await OpenAsync(source) == 0)
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

    /// <summary>From 0 to 1: half of it is asking, half is doing.</summary>
    private static async Task<double> ProgressAsync(NpgsqlDataSource source, ChaosLaunch launch)
    {
        var done = await CountAsync(source, "select count(*) from platform.finished_jobs where kind like 'assistants.%' and created_by like 'user:%'");
        return (launch.Answered + Math.Min(done, Count)) / (2.0 * Count);
    }

    /// <summary>Jobs of users, and users whose hour has come.</summary>
    private static Task<long> OpenAsync(NpgsqlDataSource source) => CountAsync(source, """
        select (select count(*) from platform.jobs where kind like 'assistants.%' and (created_by like 'user:%' or kind = 'assistants.local_hours'))
          + (select count(*) from assistants.user_schedules where next_due_at <= now())
        """);

    private static Task SettleAsync(NpgsqlDataSource source) =>
        Patience.UntilAsync(async () => await OpenAsync(source) == 0, () => "Jobs are still at work");

    private async Task<List<string>> FaultsAsync(NpgsqlDataSource source, ChaosSite site, ChaosLaunch launch, int kills)
    {
        List<string> faults = [];
        var again = 0;
        foreach (var (chore, isAccepted) in launch.Accepted.Select(one => (one, true)).Concat(launch.Unsure.Select(one => (one, false))))
        {
            var (kind, number) = chore;
            var states = await ValueAsync<string[]>(source, $"select coalesce(array_agg(j.state), '{{}}') from platform.finished_jobs j where {kind.Jobs}", number);
            var effects = await ValueAsync<long[]>(source, $"select array[{kind.Effects}]", number);
            var tells = kind.Receiver is { } receiver ? site.TellsOf(receiver(number)) : null;
            var isDone = states.Length == kind.JobCount && states.All(state => state == "succeeded") && effects.SequenceEqual(kind.Expected)
                && (tells is null || (tells.Distinct(StringComparer.Ordinal).Count() == 1 && tells.Count <= 1 + kills));
            var isNothing = states.Length == 0 && effects.All(count => count == 0) && tells is null or [];
            if (!isDone && (isAccepted || !isNothing))
            {
                faults.Add(
                    $"{kind.Name} {ChaosSite.Text(number)}, {(isAccepted ? "accepted" : "unsure")}: jobs [{string.Join(' ', states)}], " +
                    $"effects [{string.Join(' ', effects)}] instead of [{string.Join(' ', kind.Expected)}], told {tells?.Count} times");
            }
            again += Math.Max(0, (tells?.Count ?? 0) - 1);
        }
        output.WriteLine($"{ChaosSite.Text(again)} mails and notifications were told again, each as the same one");
        return faults;
    }

    private static Task<string> SummaryAsync(NpgsqlDataSource source) => ValueAsync<string>(source, """
        select string_agg(line, E'\n' order by line) from (
          select kind || ': ' || count(*) || ' ' || state || ', ' || count(*) filter (where attempt > 1) || ' of them not at once' as line
          from platform.finished_jobs where kind like 'assistants.%' and $1 = '0' group by kind, state) lines
        """, 0);

    private static async Task<T> ValueAsync<T>(NpgsqlDataSource source, string sql, int number)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = ChaosSite.Text(number) });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task<long> CountAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
