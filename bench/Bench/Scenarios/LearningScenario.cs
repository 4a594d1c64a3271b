using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Stoa.Bench.Machine;

namespace Stoa.Bench.Scenarios;

/// <summary>
/// A school whose one cohort has ten thousand learners on a course of two hundred tasks, of which each has done most: what its pages ask
/// for, as its owner and as a learner, also after a change of the course; and what its tutor costs (<see cref="LearningTutor"/>).
/// </summary>
internal sealed class LearningScenario : Scenario
{
    private const double BoardBound = 100; // milliseconds
    private const double TreeBound = 5; // milliseconds of CPU
    private const string Secret = "the front end's secret, for the bench";

    internal override string Name => "learning";

    internal override string Purpose =>
        "boards of a cohort of 10,000 on 200 tasks, the course's tree, and the tutor [--learners N] [--rounds N]";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        var learners = arguments.Flag("quick") ? 500 : arguments.Number("learners", 10_000);
        var rounds = arguments.Number("rounds", 20);
        await using var tutor = await LearningTutor.StartAsync();
        await using var product = Product.Prepare(tutor.Upstream);
        product.Set("NextAuth__Secrets__0", Secret);
        LearningTutor.Set(product);
        await product.StartAsync();
        await NoteAsync($"Filling {learners:N0} learners");
        await product.SqlAsync(LearningRows.Sql(learners));
        var target = product.As("", "", "openai");
        using var owner = Client(target.BaseUrl, 1, "owner@bench.org");
        using var learner = Client(target.BaseUrl, 2, "learner2@bench.org");

        await TimesAsync(owner, "/learning/cohorts/1/leaderboard", 1);
        yield return new("learning.count_cohort", await CountedAsync(product), "s");
        // Each round as after a change of the course; in the first ones queries are compiled, and the job before is still at work.
        List<double> firstReads = [];
        for (var round = 0; round < rounds / 4; round++)
        {
            await product.SqlAsync("update learning.cohorts set standings_stale = true");
            firstReads.AddRange(await TimesAsync(owner, "/learning/cohorts/1/leaderboard", 1));
        }
        yield return new("learning.first_reader_after_a_change", firstReads.Median(), "ms", BoardBound);
        await CountedAsync(product);
        foreach (var (name, client, path) in ((string, HttpClient, string)[])[
            ("leaderboard", learner, "/learning/cohorts/1/leaderboard"),
            ("completion", learner, "/learning/cohorts/1/completion?user_id=2"),
            ("metrics", owner, "/learning/cohorts/1/courses/1/metrics"),
            ("streak", learner, "/learning/users/2/streak?cohort_id=1"),
            ("members", owner, "/learning/cohorts/1"),
        ])
        {
            // The first ones compile queries.
            await TimesAsync(client, path, 5);
            yield return new(
                $"learning.{name}", (await TimesAsync(client, path, rounds)).Median(), "ms", name == "members" ? null : BoardBound);
        }
        foreach (var (name, client, path) in ((string, HttpClient, string)[])[
            ("tree", owner, "/learning/courses/1?only_published=false"),
            ("tree_of_learner", learner, "/learning/cohorts/1/courses?include_tree=true"),
        ])
        {
            await TimesAsync(client, path, 200);
            var before = ProcessStat.TreeCpuMicroseconds(target.Processes);
            await TimesAsync(client, path, 200);
            yield return new(
                $"learning.{name}", (ProcessStat.TreeCpuMicroseconds(target.Processes) - before) / 200 / 1000, "ms of CPU", TreeBound);
        }
        var body = JsonSerializer.Serialize(new { user_id = 2 });
        var writes = new List<double>();
        // Materials that he has not done yet.
        foreach (var task in Enumerable.Range(0, 12).Select(index => (index * 10) + 10))
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            var start = TimeProvider.System.GetTimestamp();
            using var answer = await learner.PostAsync(new Uri($"/learning/tasks/{task}/complete", UriKind.Relative), content);
            answer.EnsureSuccessStatusCode();
            writes.Add(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
        }
        yield return new("learning.complete_task", writes.Median(), "ms");

        await NoteAsync("The tutor");
        await product.StopAsync();
        await product.StartAsync();
        await foreach (var figure in tutor.MeasureAsync(
            product, user => Client(target.BaseUrl, user, $"learner{user}@bench.org"), rounds * 5))
        {
            yield return figure;
        }
    }

    /// <summary>How long it takes until the job that counts the cohort is done, in seconds.</summary>
    private static async Task<double> CountedAsync(Product product)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (await product.SqlAsync(
            "select 1 from platform.jobs where kind = 'learning.count_cohort' and state in ('available', 'running') limit 1")
            is { Length: > 0 })
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<List<double>> TimesAsync(HttpClient client, string path, int rounds)
    {
        var times = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            var start = TimeProvider.System.GetTimestamp();
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
            var bytes = await answer.Content.ReadAsByteArrayAsync();
            answer.EnsureSuccessStatusCode();
            times.Add(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
            if (bytes.Length < 20)
            {
                throw new InvalidOperationException($"{path} shows nothing; that is no measurement.");
            }
        }
        return times;
    }

    private static HttpClient Client(Uri address, int user, string email)
    {
        var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Token(user, email));
        return client;
    }

    /// <summary>As the host issues them at a sign-in.</summary>
    private static string Token(int user, string email)
    {
        var key = HKDF.DeriveKey(
            HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(Secret), 32, info: "stoa learning access token"u8.ToArray());
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = JsonSerializer.SerializeToUtf8Bytes(
            new { iss = "stoa", aud = "learning", userId = user, email, iat = now, exp = now + 36_000 });
        var signed = $"{Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8)}.{Base64Url.EncodeToString(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(signed)))}";
    }
}
