using System.Diagnostics;
using System.Globalization;
using Stoa.Bench.Feedback;
using Stoa.Bench.Machine;

namespace Stoa.Bench.Scenarios;

/// <summary>
/// The loop of a person's work — a task, its acknowledgement, the answer — with PostgreSQL in the sum, and what is read beside it. Host,
/// PostgreSQL and generator share all CPUs, so rates hold for a machine that does nothing else; CPU times hold anyway.
/// </summary>
internal sealed class FeedbackScenario : Scenario
{
    private const int Base = 100_000;
    private const int Clients = 8;
    private const string Key = "bench-0123456789abcdef0123456789abcdef0123456789abcdef";

    internal override string Name => "feedback";

    internal override string Purpose => "task, acknowledgement, answer, beside plain SQL; lists, availability, boards [--messages N]";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        var quick = arguments.Flag("quick");
        var messages = arguments.Number("messages", quick ? 6_000 : Base);
        var first = Math.Min(messages, Base) / FeedbackRows.MessagesOfTree;
        await using var product = Product.Prepare();
        product.Set("Feedback__Auth__OfficialWebApiKey", Key);
        product.Set("Feedback__RateLimit__Enabled", "false");
        product.Set("Feedback__TreeManager__MaxActiveTrees", "600");
        await product.StartAsync();
        await FillAsync(
            product, FeedbackRows.Beginning + FeedbackRows.Finished(0, first)
            + FeedbackRows.Active(growing: 600, ranking: 300, prompts: 100),
            Math.Min(messages, Base));

        var seconds = arguments.Number("seconds", quick ? 2 : 15);
        foreach (var figure in await FloorAsync(product, quick ? 1 : 4))
        {
            yield return figure;
        }
        var loops = await LoopsAsync(product, warm: quick ? 2 : 45, seconds);
        foreach (var figure in Figures("feedback.loop", loops, bound: 2))
        {
            yield return figure;
        }
        await foreach (var figure in ReadAsync(product, quick))
        {
            yield return figure;
        }
        if (messages <= Base)
        {
            yield break;
        }
        await FillAsync(product, FeedbackRows.Finished(first, messages / FeedbackRows.MessagesOfTree), messages);
        var grown = await LoopsAsync(product, warm: 10, seconds);
        foreach (var figure in Figures(string.Create(CultureInfo.InvariantCulture, $"feedback.{messages}.loop"), grown, bound: null))
        {
            yield return figure;
        }
        yield return new("feedback.growth", grown.Cpu / loops.Cpu, "x", Bound: 1.3);
    }

    private static async Task FillAsync(Product product, string sql, int messages)
    {
        var started = Stopwatch.GetTimestamp();
        await product.SqlAsync(sql);
        await NoteAsync(
            string.Create(CultureInfo.InvariantCulture, $"feedback: {messages:N0} messages filled in {Stopwatch.GetElapsedTime(started)}"));
    }

    private static async Task<List<Figure>> FloorAsync(Product product, int seconds)
    {
        await product.SqlAsync(FeedbackRows.FloorTables);
        var before = ProcessStat.TreeCpuMicroseconds(product.PostgresId());
        if (await product.RateAsync(FeedbackRows.Floor, Clients, seconds) is not { } rate)
        {
            await NoteAsync("feedback: no pgbench beside the server, so no floor");
            return [];
        }
        var cpu = ProcessStat.TreeCpuMicroseconds(product.PostgresId()) - before;
        return [new("feedback.floor.rate", rate, "1/s"), new("feedback.floor.cpu", cpu / 1_000 / (rate * seconds), "ms")];
    }

    private static Task<FeedbackResult> LoopsAsync(Product product, int warm, int seconds) =>
        LoadAsync(product, warm, seconds, Clients, "--users", Text(FeedbackRows.Users));

    private static IEnumerable<Figure> Figures(string name, FeedbackResult result, double? bound)
    {
        Console.Error.WriteLine(
            $"{name}: {string.Join(", ", result.Kinds.Select(kind => $"{kind.Value} {kind.Key}"))}, {result.Nothing} without a task");
        yield return new($"{name}.cpu", result.Cpu, "ms", bound);
        yield return new($"{name}.server_cpu", result.ServerCpu, "ms");
        yield return new($"{name}.postgres_cpu", result.PostgresCpu, "ms");
        yield return new($"{name}.rate", result.PerSecond, "1/s", bound is null ? null : 500, IsLeast: true);
        yield return new($"{name}.p50", result.P50, "ms");
        yield return new($"{name}.p95", result.P95, "ms");
    }

    private static async IAsyncEnumerable<Figure> ReadAsync(Product product, bool quick)
    {
        var (warm, seconds) = quick ? (1, 1) : (4, 4);
        var list = await LoadAsync(product, warm, seconds, clients: 2, "--path", "/api/v1/messages/?max_count=50");
        yield return new("feedback.messages_50.cpu", list.Cpu, "ms", Bound: 1);
        yield return new("feedback.messages_50.p50", list.P50, "ms");
        var available = await LoadAsync(
            product, warm, seconds, clients: 1, "--method", "POST", "--path", "/api/v1/tasks/availability?lang=en",
            "--body", """{"id":"bench-1","display_name":"bench-1","auth_method":"local"}""");
        yield return new("feedback.availability.p50", available.P50, "ms", Bound: 10);
        yield return new("feedback.availability.cpu", available.Cpu, "ms");
        using var client = new HttpClient { BaseAddress = product.BaseUrl };
        client.DefaultRequestHeaders.Add("X-API-Key", Key);
        var times = new List<double>();
        for (var round = 0; round < 3; round++)
        {
            var started = Stopwatch.GetTimestamp();
            using var answer = await client.PostAsync(new Uri("/api/v1/leaderboards/update", UriKind.Relative), content: null);
            answer.EnsureSuccessStatusCode();
            times.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        yield return new("feedback.boards", times.Median(), "s", Bound: 1);
    }

    private static async Task<FeedbackResult> LoadAsync(Product product, int warm, int seconds, int clients, params string[] more)
    {
        var processes = string.Join(',', [product.ProcessId, .. product.PostgresId()]);
        await using var load = Child.StartRole(
            Child.AnyCpu, inline: false,
            ["feedback-load", "--url", product.BaseUrl.ToString(), "--key", Key, "--pids", processes, "--clients", Text(clients),
                "--warm-ms", Text(warm * 1_000), "--ms", Text(seconds * 1_000), .. more]);
        return FeedbackResult.Parse(await load.OutputAsync(CancellationToken.None));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
