using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Platform.Egress;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Batches;

/// <summary>
/// The 80 questions of the Vicuna benchmark as one batch of either surface, and as queued runs of an agent. Usage is exact.
/// </summary>
public sealed class RealQuestionBatchTests : IAsyncLifetime
{
    private const int Count = 80;

    private static readonly string File = Path.Combine(Repository.Root, "..", "shared", "data", "vicuna-bench", "questions.jsonl");

    private readonly ConcurrentQueue<(string Id, JsonNode Body)> told = new();
    private readonly List<string> questions = [];
    private ScriptedProvider provider = null!;
    private LoopbackSite receiver = null!;
    private HostUnderTest host = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(System.IO.File.Exists(File), "../shared/data/vicuna-bench is not here.");
        questions.AddRange(System.IO.File.ReadLines(File).Select(line => (string)JsonNode.Parse(line)!["text"]!));
        provider = await ScriptedProvider.StartAsync();
        receiver = await LoopbackSite.StartAsync(async context =>
            told.Enqueue((context.Request.Headers["webhook-id"].ToString(),
                (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: Ct))!)));
        host = await HostUnderTest.StartAsync(new()
        {
            ["Gateway:Providers:openai:Kind"] = "openai",
            ["Gateway:Providers:openai:BaseUrl"] = new Uri(provider.BaseAddress, "/v1").ToString(),
            ["Gateway:Providers:openai:ApiKey"] = provider.Key,
            ["Egress:Allow"] = "127.0.0.1",
        });
        host.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev");
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            await host.DisposeAsync();
            await receiver.DisposeAsync();
            await provider.DisposeAsync();
        }
    }

    [Fact]
    public async Task As_one_batch_to_an_agent()
    {
        var started = await PostAsync("/api/v2/model/batch/chat/completion", new
        {
            service = "openai",
            configuration = new { model = "gpt-4o", prompt = "Answer well.", response_type = "text" },
            batch = questions,
            webhook = new { url = receiver.Url.ToString() },
        });
        await host.RunJobsAsync();

        var (id, body) = Assert.Single(told);
        Assert.Equal((string?)started["batch_id"], id);
        Assert.Equal(questions.Select(question => $"You said: {question}"),
            body["response"]!.AsArray().Select(item => (string?)item!["data"]!["content"]));
        await UsageIsExactAsync(body["response"]!.AsArray().Select(item => item!["usage"]!), "input_tokens", "output_tokens");
    }

    [Fact]
    public async Task As_one_batch_of_chat_completions()
    {
        var lines = questions.Select((question, number) => new JsonObject
        {
            ["custom_id"] = $"q{number}",
            ["method"] = "POST",
            ["url"] = "/v1/chat/completions",
            ["body"] = new JsonObject
            {
                ["model"] = "openai/gpt-4o", ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
            },
        }.ToJsonString());
        using var form = new MultipartFormDataContent
        {
            { new StringContent("batch"), "purpose" },
            { new ByteArrayContent(Encoding.UTF8.GetBytes(string.Join('\n', lines))), "file", "batch.jsonl" },
        };
        using var uploaded = await host.Client.PostAsync(new Uri("/v1/files", UriKind.Relative), form, Ct);
        var file = (string)JsonNode.Parse(await uploaded.Content.ReadAsStringAsync(Ct))!["id"]!;
        var started =
            await PostAsync("/v1/batches", new { input_file_id = file, endpoint = "/v1/chat/completions", completion_window = "24h" });
        await host.RunJobsAsync();

        var ended = JsonNode.Parse(await host.Client.GetStringAsync(new Uri($"/v1/batches/{started["id"]}", UriKind.Relative), Ct))!;
        Assert.Equal(("completed", Count), ((string?)ended["status"], (int)ended["request_counts"]!["completed"]!));
        var output = await host.Client.GetStringAsync(new Uri($"/v1/files/{ended["output_file_id"]}/content", UriKind.Relative), Ct);
        var answers = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!["response"]!["body"]!).ToList();
        Assert.Equal(questions.Select(question => $"You said: {question}"),
            answers.Select(answer => (string?)answer["choices"]![0]!["message"]!["content"]));
        await UsageIsExactAsync(answers.Select(answer => answer["usage"]!), "prompt_tokens", "completion_tokens");
    }

    [Fact]
    public async Task As_queued_runs_whose_answers_go_to_a_webhook()
    {
        foreach (var (question, number) in questions.Select((question, number) => (question, number)))
        {
            await PostAsync("/api/v2/model/chat/completion", new
            {
                service = "openai",
                user = question,
                variables = new { number },
                configuration = new
                {
                    model = "gpt-4o", prompt = "Answer well.", response_type = "text",
                    response_format = new { type = "webhook", cred = new { url = receiver.Url.ToString() } },
                },
            });
        }
        await host.RunJobsAsync();

        Assert.Equal(Count, told.Select(one => one.Id).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(
            questions.Select((question, number) => (number, $"You said: {question}")),
            told.Select(one => ((int)one.Body["variables"]!["number"]!, (string)one.Body["response"]!["data"]!["content"]!))
            .OrderBy(one => one.Item1));
        await UsageIsExactAsync(told.Select(one => one.Body["response"]!["usage"]!), "input_tokens", "output_tokens");
    }

    /// <summary>What the provider reported is what the clients were told, and what is stored.</summary>
    private async Task UsageIsExactAsync(IEnumerable<JsonNode> usages, string input, string output)
    {
        var told = usages.ToList();
        var stored = (await UsageReader.SumsAsync(host.Client, Count))["openai"];
        Assert.Equal(
            (Count, provider.Reported.Input, provider.Reported.Output),
            ((long)stored["calls"]!, (long)stored["input_tokens"]!, (long)stored["output_tokens"]!));
        Assert.Equal(
            (Count, provider.Reported.Input, provider.Reported.Output),
            (told.Count, told.Sum(usage => (long)usage[input]!), told.Sum(usage => (long)usage[output]!)));
        Assert.True(provider.Reported is { Input: > 1000, Output: > 1000 });
    }

    private async Task<JsonNode> PostAsync(string path, object body)
    {
        using var answer = await host.Client.PostAsJsonAsync(path, body, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
