using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Stoa.Bench.Scenarios;

/// <summary>
/// Every question a dashboard can ask of ten million calls: each range by each factor with each filter, and the other reports. The floor is
/// the same request when there is nothing to be found.
/// </summary>
internal sealed class MetricsScenario : Scenario
{
    private const double Bound = 100; // milliseconds

    private static readonly string[] Factors = ["bridge_id", "version_id", "apikey_id", "thread_id", "service", "model", "created_at"];

    private static readonly (string Name, string Value)[] Filters =
    [
        ("", ""), ("bridge_id", "00000000000000000000001f"),
        ("version_id", "aaaaaaaaaaaaaaaaaaaaaa1f"), ("apikey_id", "bbbbbbbbbbbbbbbbbbbbbbb1"),
        ("service", "openai"), ("model", "model-1-0"), ("thread_id", "thread-9"),
    ];

    internal override string Name => "metrics";

    internal override string Purpose => "dashboards over ten million calls [--rows N] [--rounds N]";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        var rows = arguments.Flag("quick") ? 100_000 : arguments.Number("rows", 10_000_000);
        var rounds = arguments.Number("rounds", 5);
        await using var product = Product.Prepare(new("http://127.0.0.1:1"));
        await product.StartAsync();
        var key = await product.CreateKeyAsync();
        var now = TimeProvider.System.GetUtcNow();
        await NoteAsync($"Filling {rows:N0} rows");
        await product.SqlAsync(MetricsRows.Sql(rows, now));
        await NoteAsync($"Filled in {TimeProvider.System.GetUtcNow() - now}");
        using var client = new HttpClient { BaseAddress = product.As("", key, "openai").BaseUrl };
        client.DefaultRequestHeaders.Authorization = new("Bearer", key);

        yield return new("metrics.calls_of_the_month", await CallsAsync(client, now), "");
        Question[] nothing = [new("floor", "/api/metrics", Body(1, "created_at", "model", "no such model", now))];
        yield return new("metrics.floor", (await AskAllAsync(client, nothing, rounds * 10))[0].Median, "ms");
        Question[] dashboards =
        [
            .. from range in Enumerable.Range(1, 10)
               from factor in Factors
               from filter in Filters
               select new Question(
                   $"range {range} by {factor} of {filter.Name}", "/api/metrics", Body(range, factor, filter.Name, filter.Value, now)),
        ];
        foreach (var figure in Figures("dashboard", await AskAllAsync(client, dashboards, rounds)))
        {
            yield return figure;
        }
        var month = JsonSerializer.Serialize(new { start_date = now.AddDays(-30), end_date = now });
        Question[] reports =
        [
            new("agents of a day", "/api/metrics/agent", "{}"),
            new("agents of a month", "/api/metrics/agent", month),
            new("usage of today", "/api/stoa/usage", null),
            new("usage of a month", $"/api/stoa/usage?from={now.AddDays(-30).Date:yyyy-MM-dd}", null),
            .. from range in Enumerable.Range(1, 10)
               select new Question($"percentiles of range {range}", "/api/metrics", Body(range, "bridge_id", "percentiles", "true", now)),
        ];
        foreach (var figure in Figures("report", await AskAllAsync(client, reports, rounds)))
        {
            yield return figure;
        }
    }

    private static IEnumerable<Figure> Figures(string name, List<(Question Question, double Median)> times)
    {
        times.Sort((one, other) => other.Median.CompareTo(one.Median));
        foreach (var (question, median) in times.Take(5))
        {
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{median,8:0.0} ms  {question.Name}"));
        }
        yield return new($"metrics.{name}.median", times.Select(time => time.Median).Median(), "ms");
        yield return new($"metrics.{name}.slowest", times[0].Median, "ms", Bound);
        yield return new($"metrics.{name}.over_bound", times.Count(time => time.Median > Bound), "");
    }

    private static async Task<List<(Question Question, double Median)>> AskAllAsync(HttpClient client, Question[] questions, int rounds)
    {
        var times = questions.Select(_ => new List<double>()).ToArray();
        // The first round warms the caches.
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var (index, question) in questions.Index())
            {
                var start = TimeProvider.System.GetTimestamp();
                using var content = question.Body is null ? null : new StringContent(question.Body, Encoding.UTF8, "application/json");
                using var request =
                    new HttpRequestMessage(content is null ? HttpMethod.Get : HttpMethod.Post, question.Path) { Content = content };
                using var answer = await client.SendAsync(request);
                await answer.Content.ReadAsByteArrayAsync();
                answer.EnsureSuccessStatusCode();
                if (round > 0)
                {
                    times[index].Add(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
                }
            }
        }
        return [.. questions.Zip(times, (question, all) => (question, all.Median()))];
    }

    /// <summary>That the questions are about something.</summary>
    private static async Task<long> CallsAsync(HttpClient client, DateTimeOffset now)
    {
        using var month = new StringContent(Body(9, "created_at", "", "", now), Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri("/api/metrics", UriKind.Relative), month);
        using var sums = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return sums.RootElement.GetProperty("data").EnumerateArray()
            .Sum(row => row.GetProperty("record_count").GetInt64()) is > 0 and var calls
            ? calls
            : throw new InvalidOperationException("The dashboard shows no calls; that is no measurement.");
    }

    private static string Body(int range, string factor, string filter, string value, DateTimeOffset now)
    {
        var body = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["range"] = range,
            ["factor"] = factor,
            ["start_date"] = now.AddDays(-29).AddMinutes(-7),
            ["end_date"] = now,
        };
        if (filter.Length > 0)
        {
            body[filter] = filter == "percentiles" ? true : value;
        }
        return JsonSerializer.Serialize(body);
    }

    private sealed record Question(string Name, string Path, string? Body);
}
