using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Stoa.Tests.Assistants;
using Stoa.Tests.Assistants.Chaos;
using Stoa.Tests.Crash;
using Stoa.Tests.Feedback;
using Stoa.Tests.Support;

namespace Stoa.Tests.Loop;

/// <summary>
/// One host does the work of all modules and is killed again and again: callers of models, people who answer tasks, a teacher who makes
/// courses, and users whose assistant works. What was answered is there, and nothing is there twice.
/// <c>STOA_LOOP_KILLS</c> lengthens it, <c>STOA_LOOP_SEED</c> repeats it as far as chance allows.
/// </summary>
public sealed class LoopCrashTests(TestCluster cluster, ITestOutputHelper output)
{
    private const int Most = 100, TasksOfAKill = 60, ChoresOfAKill = 10;

    private static readonly int Kills = Number("STOA_LOOP_KILLS") ?? 3;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_that_was_answered_is_lost_and_nothing_happens_twice_in_any_module()
    {
        var seed = Number("STOA_LOOP_SEED") ?? Random.Shared.Next(1_000_000);
        output.WriteLine($"STOA_LOOP_SEED={seed.ToString(CultureInfo.InvariantCulture)}");
        var database = await cluster.CreateDatabaseAsync();
        await using var site = await ChaosSite.StartAsync(Kills * ChoresOfAKill);
        var kinds = await Chores.AllAsync(site.Website);
        await using (var source = NpgsqlDataSource.Create(database))
        {
            await using var host = await HostProcess.StartAsync(SettingsOf(site, database));
            await ChaosSite.SeedAsync(source, Kills * ChoresOfAKill);
            var launches = Enumerable.Range(1, Kills * ChoresOfAKill).Select(number => new Chore(kinds[number % kinds.Length], number))
                .Chunk(ChoresOfAKill).Select(chores => new ChaosLaunch(host, source, chores)).ToList();
            var (calls, bot, teacher) =
                (new Traffic(host, $"openai/{ThinkingSite.Model}"), new Bot(host.BaseAddress, seed), await TeacherAsync(host));

            var killing = KillAsync(host, calls, bot, launches, new Random(seed));
            await Task.WhenAll(killing, calls.RunUntilAsync(killing), bot.PlayAsync(players: 3, killing), teacher.MakeUntilAsync(killing));
            await ChaosAudit.SettleAsync(source);

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
                {Kills} kills; {calls.Answered.Count} calls answered, {calls.Failed} not; {bot.Accepted.Count} tasks accepted, {bot.Cut} cut;
                {teacher.Made.Count} courses made, {teacher.Unsure.Count} unsure;
                {launches.Sum(launch => launch.Accepted.Count)} chores accepted, {launches.Sum(launch => launch.Unsure.Count)} unsure
                """));
            Assert.True(calls.Failed > 0 && bot.Cut > 0 && !teacher.Unsure.IsEmpty, "The kills met nothing at work");
            using var client = host.CreateClient();
            await CheckCallsAsync(client, calls);
            await CheckAnswersAsync(host, bot, database);
            await teacher.CheckAsync();
            foreach (var launch in launches)
            {
                var (faults, _) = await ChaosAudit.FaultsAsync(source, site, launch, Kills);
                Assert.Empty(faults);
            }
        }
        await cluster.DropDatabaseAsync(database);
    }

    private static Dictionary<string, string?> SettingsOf(ChaosSite site, string database)
    {
        var settings = site.SettingsFor(database);
        settings["NextAuth__Secrets__0"] = "the secret of a front end that crashes";
        foreach (var (key, value) in BotCrashTests.Settings)
        {
            settings[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }
        return settings;
    }

    /// <summary>Each time while all are at work, at a moment of chance.</summary>
    private static async Task KillAsync(HostProcess host, Traffic calls, Bot bot, IEnumerable<ChaosLaunch> launches, Random random)
    {
        foreach (var launch in launches)
        {
            var launching = launch.RunAsync();
            await bot.WhenAcceptedAsync(bot.Accepted.Count + random.Next(TasksOfAKill / 4, TasksOfAKill));
            await calls.WaitUntilAnsweredAsync(calls.Answered.Count + random.Next(Most));
            await host.KillAsync();
            await host.StartAgainAsync();
            await launching;
        }
    }

    private static async Task CheckCallsAsync(HttpClient client, Traffic calls)
    {
        var counts = await calls.SettledCountsAsync(client);
        Assert.DoesNotContain(calls.Answered, id => !counts.ContainsKey(id));
        // The assistant's own calls have ids of their jobs, and may be made again.
        Assert.All(calls.Answered, id => Assert.Equal(1, counts[id]));
    }

    private static async Task CheckAnswersAsync(HostProcess host, Bot bot, string database)
    {
        Assert.Equal("", string.Join('\n', bot.Unexpected));
        using var client = host.CreateClient();
        client.DefaultRequestHeaders.Add("X-API-Key", "1234");
        await BotCrashTests.CheckTextsAsync(client, bot);
        await BotCrashTests.CheckDoneAsync(client, bot);
        await BotCrashTests.CheckStoreAsync(host, database);
    }

    private static async Task<Teacher> TeacherAsync(HostProcess host)
    {
        var client = host.CreateClient();
        client.DefaultRequestHeaders.Authorization = null;
        var owner = await ReadAsync(await client.PostAsJsonAsync(
            new Uri("/learning/auth/login", UriKind.Relative),
            new JsonObject { ["email"] = "owner@crash.org", ["given_name"] = "Ada", ["id_token"] = "stoa-dev:owner@crash.org" }, Ct));
        client.DefaultRequestHeaders.Authorization = new("Bearer", (string)owner["access_token"]!);
        var school = await ReadAsync(await client.PostAsJsonAsync(
            new Uri("/learning/organizations/", UriKind.Relative),
            new JsonObject { ["name"] = "Crash", ["slug"] = "crash", ["user_id"] = (int)owner["id"]! }, Ct));
        return new(client, (int)school["id"]!);
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response)
    {
        using var answer = response;
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : null;

    /// <summary>Makes one course after the other, each under its own name, and each once.</summary>
    private sealed class Teacher(HttpClient client, int school)
    {
        public ConcurrentQueue<string> Made { get; } = [];

        /// <summary>Whether these were made nobody was told.</summary>
        public ConcurrentQueue<string> Unsure { get; } = [];

        public async Task MakeUntilAsync(Task end)
        {
            for (var number = 0; !end.IsCompleted; number++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"Course {number}");
                try
                {
                    await ReadAsync(await client.PostAsJsonAsync(
                        new Uri("/learning/courses/", UriKind.Relative), new JsonObject { ["name"] = name, ["org_id"] = school }, Ct));
                    Made.Enqueue(name);
                }
                catch (HttpRequestException)
                {
                    Unsure.Enqueue(name);
                }
                await Task.Delay(Moment, TimeProvider.System, Ct);
            }
        }

        public async Task CheckAsync()
        {
            var courses =
                await ReadAsync(await client.GetAsync(new Uri($"/learning/courses/?org_id={school}&limit=1000", UriKind.Relative), Ct));
            var counts = courses.AsArray().CountBy(course => (string)course!["name"]!, StringComparer.Ordinal)
                .ToDictionary(StringComparer.Ordinal);
            Assert.NotEmpty(Made);
            Assert.All(Made, name => Assert.Equal(1, counts.GetValueOrDefault(name)));
            Assert.All(Unsure, name => Assert.InRange(counts.GetValueOrDefault(name), 0, 1));
        }
    }
}
