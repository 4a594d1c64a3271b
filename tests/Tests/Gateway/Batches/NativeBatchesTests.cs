using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Gateway.Budgets;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Batches;

public sealed class NativeBatchesTests : IClassFixture<NativeBatchesTests.Site>
{
    private readonly BatchProvider provider;
    private HostUnderTest host;

    public NativeBatchesTests(Site shared)
    {
        (provider, host) = (shared.Provider, shared.Host);
        provider.Forget();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("openai")]
    [InlineData("groq")]
    [InlineData("mistral")]
    [InlineData("anthropic")]
    [InlineData("gemini")]
    public async Task Lines_for_one_model_go_to_its_providers_own_batches(string vendor)
    {
        var batch = await StartAsync($"{vendor}/some-model", 3);
        await host.RunJobsAsync();
        var ended = await GetAsync($"/v1/batches/{batch}");
        Assert.Equal("completed", (string?)ended["status"]);
        var output = await LinesAsync((string)ended["output_file_id"]!);
        Assert.Equal(["own 0", "own 1", "own 2"], output.Select(line => (string)line["custom_id"]!));
        Assert.Equal("You said: question 1 🗼", (string?)output[1]["response"]!["body"]!["choices"]![0]!["message"]!["content"]);
        var (to, lines) = Assert.Single(provider.Started);
        Assert.Equal(vendor, to);
        Assert.Equal(3, lines.Count);
        Assert.All(lines, line => Assert.DoesNotContain($"{vendor}/some-model", line!.ToJsonString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Messages_go_to_another_vendors_batches_and_come_back_as_messages()
    {
        var body = """{"requests":[{"custom_id":"one","params":{"model":"openai/some-model","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}}]}""";
        using var made = await host.Client.PostAsync(
            new Uri("/v1/messages/batches", UriKind.Relative), new StringContent(body, Encoding.UTF8, "application/json"), Ct);
        var id = (string)JsonNode.Parse(await made.Content.ReadAsStringAsync(Ct))!["id"]!;
        await host.RunJobsAsync();
        Assert.Equal("/v1/chat/completions", (string?)Assert.Single(provider.Started).Lines[0]!["url"]);
        var result = JsonNode.Parse(await host.Client.GetStringAsync(new Uri($"/v1/messages/batches/{id}/results", UriKind.Relative), Ct))!;
        Assert.Equal("You said: hello", (string?)result["result"]!["message"]!["content"]![0]!["text"]);
        Assert.Equal("message", (string?)result["result"]!["message"]!["type"]);
    }

    [Theory]
    [InlineData("mistral")]
    [InlineData("anthropic")]
    [InlineData("gemini")]
    public async Task A_provider_that_is_not_done_is_asked_again_later(string vendor)
    {
        provider.Patience = 2;
        var batch = await StartAsync($"{vendor}/some-model", 2);
        for (var look = 1; look <= 2; look++)
        {
            await host.RunJobsAsync();
            Assert.Equal("in_progress", (string?)(await GetAsync($"/v1/batches/{batch}"))["status"]);
            Assert.Equal(look, provider.Looks[vendor]);
            await WakeAsync();
        }
        await host.RunJobsAsync();
        Assert.Equal("completed", (string?)(await GetAsync($"/v1/batches/{batch}"))["status"]);
        Assert.Single(provider.Started);
    }

    [Fact]
    public async Task What_the_provider_fails_is_done_line_by_line()
    {
        provider.Fails = true;
        var batch = await StartAsync("openai/some-model", 2);
        await host.RunJobsAsync();
        var ended = await GetAsync($"/v1/batches/{batch}");
        Assert.Equal("completed", (string?)ended["status"]);
        Assert.Equal(2, (int)ended["request_counts"]!["completed"]!);
    }

    [Fact]
    public async Task A_budget_holds_in_a_batch_too()
    {
        // The others have none.
        await using var own = await Site.HostAsync(provider);
        host = own;
        using var set = await host.Client.PutAsJsonAsync("/api/stoa/budgets/organization", new { amount = 1 }, Ct);
        Assert.Equal(System.Net.HttpStatusCode.OK, set.StatusCode);
        while (!host.Services.GetRequiredService<BudgetGate>().Concerns(Organization.DefaultId))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }

        var batch = await StartAsync("openai/some-model", 2);
        await host.RunJobsAsync();

        Assert.Empty(provider.Started);
        Assert.Equal(2, (int)(await GetAsync($"/v1/batches/{batch}"))["request_counts"]!["completed"]!);
    }

    /// <summary>As if the wait were over.</summary>
    private async Task WakeAsync()
    {
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>()
            .CreateCommand("update platform.jobs set run_at = now() where kind = 'gateway.run_batch' and state = 'available'");
        await command.ExecuteNonQueryAsync(Ct);
    }

    private async Task<string> StartAsync(string model, int count)
    {
        var lines = Enumerable.Range(0, count).Select(number => new JsonObject
        {
            ["custom_id"] = $"own {number}",
            ["method"] = "POST",
            ["url"] = "/v1/chat/completions",
            ["body"] = new JsonObject
            {
                ["model"] = model,
                ["max_tokens"] = 50,
                ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = $"question {number} 🗼" }),
            },
        }.ToJsonString());
        using var form = new MultipartFormDataContent
        {
            { new StringContent("batch"), "purpose" },
            { new ByteArrayContent(Encoding.UTF8.GetBytes(string.Join('\n', lines))), "file", "batch.jsonl" },
        };
        using var uploaded = await host.Client.PostAsync(new Uri("/v1/files", UriKind.Relative), form, Ct);
        var start = new JsonObject
        {
            ["input_file_id"] = (string)JsonNode.Parse(await uploaded.Content.ReadAsStringAsync(Ct))!["id"]!,
            ["endpoint"] = "/v1/chat/completions",
            ["completion_window"] = "24h",
        };
        using var made = await host.Client.PostAsync(
            new Uri("/v1/batches", UriKind.Relative), new StringContent(start.ToJsonString(), Encoding.UTF8, "application/json"), Ct);
        return (string)JsonNode.Parse(await made.Content.ReadAsStringAsync(Ct))!["id"]!;
    }

    private async Task<JsonNode> GetAsync(string path) =>
        JsonNode.Parse(await host.Client.GetStringAsync(new Uri(path, UriKind.Relative), Ct))!;

    private async Task<List<JsonNode>> LinesAsync(string file)
    {
        var text = await host.Client.GetStringAsync(new Uri($"/v1/files/{file}/content", UriKind.Relative), Ct);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    /// <summary>One host and the five vendors it calls, for one test after another.</summary>
    public sealed class Site : IAsyncLifetime
    {
        public BatchProvider Provider { get; private set; } = null!;

        public HostUnderTest Host { get; private set; } = null!;

        public static async Task<HostUnderTest> HostAsync(BatchProvider provider)
        {
            var settings = new Dictionary<string, string?>(StringComparer.Ordinal);
            foreach (var kind in (string[])["openai", "groq", "mistral", "anthropic", "gemini"])
            {
                settings[$"Gateway:Providers:{kind}:Kind"] = kind;
                settings[$"Gateway:Providers:{kind}:BaseUrl"] =
                    $"{provider.BaseAddress}/{kind}{(kind is "anthropic" or "gemini" ? "" : "/v1")}";
                settings[$"Gateway:Providers:{kind}:ApiKey"] = "secret";
            }
            var host = await HostUnderTest.StartAsync(settings);
            host.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev");
            return host;
        }

        public async ValueTask InitializeAsync()
        {
            Provider = await BatchProvider.StartAsync();
            Host = await HostAsync(Provider);
        }

        public async ValueTask DisposeAsync()
        {
            await Host.DisposeAsync();
            await Provider.DisposeAsync();
        }
    }
}
