using System.Net;
using System.Text;
using System.Text.Json;
using Stoa.Bench.Machine;

namespace Stoa.Bench.Scenarios;

/// <summary>
/// The tutor before a scripted model in this process: how much later than the model's first word the learner has his first line, and what
/// two hundred streams at once need of memory.
/// </summary>
internal sealed class LearningTutor : IAsyncDisposable
{
    private const double FirstLineBound = 20; // milliseconds
    private const double MemoryBound = 300; // megabytes
    private const int Streams = 200;

    // A judgement in sixty words, five times a second while it is paced.
    private const int Words = 60;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    private readonly WebApplication app;
    private volatile bool isPaced;

    private LearningTutor()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        app.Run(AnswerAsync);
    }

    internal Uri Upstream => new(app.Urls.Single());

    internal static async Task<LearningTutor> StartAsync()
    {
        var tutor = new LearningTutor();
        await tutor.app.StartAsync();
        return tutor;
    }

    /// <summary>One model for everything, so nobody is asked which; and nobody has asked too much.</summary>
    internal static void Set(Product product)
    {
        foreach (var plan in (string[])["Text", "Reasoning"])
        {
            product.Set($"Learning__Models__{plan}", "openai/bench");
        }
        product.Set("Learning__Tutor__RequestsPerMinute", "0");
        product.Set("Learning__Tutor__TokensPerDay", "0");
    }

    internal async IAsyncEnumerable<Figure> MeasureAsync(Product product, Func<int, HttpClient> clientOf, int rounds)
    {
        // A budget that counts, as schools have one.
        await product.SqlAsync("""
            insert into platform.organizations (id, slug, name, created_at)
              values ('01980000-0000-7000-8000-0000000000be', 'school-bench', 'Bench', now());
            update learning.organizations set organization_id = '01980000-0000-7000-8000-0000000000be';
            select gateway.set_budget('01980000-0000-7000-8000-0000000000be', 'provider_key', '', 1000, 'monthly', '2020-01-01');
            """);
        using var learner = clientOf(2);
        for (var round = 0; round < rounds; round++)
        {
            await FirstLineAsync(learner, 2);
        }
        var times = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            times.Add(await FirstLineAsync(learner, 2));
        }
        times.Sort();
        yield return new("learning.tutor_first_line", times.Median(), "ms", FirstLineBound);
        yield return new("learning.tutor_first_line_p95", times[(int)(times.Count * 0.95)], "ms");

        isPaced = true;
        var clients = Enumerable.Range(2, Streams).Select(user => (user, client: clientOf(user))).ToList();
        var before = ProcessStat.ResidentMegabytes(product.ProcessId);
        var streams = Task.WhenAll(clients.Select(one => FirstLineAsync(one.client, one.user)));
        await streams;
        isPaced = false;
        clients.ForEach(one => one.client.Dispose());
        yield return new("learning.tutor_idle_memory", before, "MB");
        yield return new("learning.tutor_200_streams_first_line", (await streams).Median(), "ms");
        yield return new("learning.tutor_200_streams_memory", ProcessStat.PeakResidentMegabytes(product.ProcessId), "MB", MemoryBound);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    /// <summary>Asks about an answer and reads to the end; how long the first line took, by a model that does not wait.</summary>
    private static async Task<double> FirstLineAsync(HttpClient learner, int user)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/learning/ai/chat")
        {
            Content = new StringContent(
                JsonSerializer.Serialize(new
                {
                    task_type = "quiz", user_id = user, user_email = $"learner{user}@bench.org",
                    task_id = 1, question_id = 1, user_response = "my answer",
                    response_type = "text",
                }),
                Encoding.UTF8, "application/json"),
        };
        var start = TimeProvider.System.GetTimestamp();
        using var answer = await learner.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var first = await lines.ReadLineAsync();
        var took = TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;
        var rest = await lines.ReadToEndAsync();
        return first?.StartsWith('{') == true && rest.Contains("word 59", StringComparison.Ordinal)
            ? took
            : throw new InvalidOperationException($"The tutor answered '{first}'; that is no measurement.");
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        await body.ReadToEndAsync(context.RequestAborted);
        context.Response.ContentType = "text/event-stream";
        await WriteAsync(context, "{\"analysis\":\"thought\",\"feedback\":\"");
        for (var word = 0; word < Words; word++)
        {
            if (isPaced)
            {
                await Task.Delay(Pace, TimeProvider.System, context.RequestAborted);
            }
            await WriteAsync(context, FormattableString.Invariant($"word {word} "));
        }
        await WriteAsync(context, "\",\"is_correct\":false}");
        await context.Response.WriteAsync(
            """
            data: {"id":"c","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

            data: {"id":"c","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":[],"usage":{"prompt_tokens":19,"completion_tokens":150,"total_tokens":169}}

            data: [DONE]


            """, context.RequestAborted);
    }

    private static async Task WriteAsync(HttpContext context, string text)
    {
        var chunk = JsonSerializer.Serialize(new
        {
            id = "c", @object = "chat.completion.chunk", created = 1_700_000_000, model = "bench",
            choices = new[] { new { index = 0, delta = new { content = text }, finish_reason = (string?)null } },
        });
        await context.Response.WriteAsync($"data: {chunk}\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
