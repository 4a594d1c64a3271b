using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Gateway.Providers;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>
/// Services in trouble, each in another one so that their circuits do not mix, and one that is well. Patience is long enough for a machine
/// under load.
/// </summary>
public sealed class RunFaultSite : IAsyncLifetime
{
    /// <summary>A service, and a model of it that everybody knows.</summary>
    public static readonly IReadOnlyDictionary<string, (string Service, string Model)> Places =
        new Dictionary<string, (string, string)>(StringComparer.Ordinal)
    {
        ["limited"] = ("openai", "gpt-4o"),
        ["broken"] = ("openai_completion", "gpt-4o"),
        ["cut"] = ("groq", "llama-3.3-70b-versatile"),
        ["garbage"] = ("grok", "grok-4"),
        ["silent"] = ("mistral", "mistral-small-latest"),
        ["drip"] = ("moonshot", "kimi-k2.6"),
        ["locked"] = ("neev_cloud", "gpt-oss-120b"),
    };

    public ScriptedProvider Bad { get; private set; } = null!;

    public ScriptedProvider Good { get; private set; } = null!;

    public HostUnderTest Host { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Bad = await ScriptedProvider.StartAsync();
        Good = await ScriptedProvider.StartAsync();
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Gateway:Retries"] = "0",
            ["Gateway:Timeouts:FirstByteMs"] = "8000",
            ["Gateway:Timeouts:NonStreamMs"] = "8000",
            ["Gateway:Timeouts:IdleMs"] = "6000",
            ["Gateway:Providers:anthropic:Kind"] = "anthropic",
            ["Gateway:Providers:anthropic:BaseUrl"] = Good.BaseAddress.ToString(),
            ["Gateway:Providers:anthropic:ApiKey"] = Good.Key,
        };
        foreach (var (trouble, (service, _)) in Places)
        {
            settings[$"Gateway:Providers:{service}:Kind"] = service;
            settings[$"Gateway:Providers:{service}:BaseUrl"] = new Uri(Bad.BaseAddress, "/v1").ToString();
            settings[$"Gateway:Providers:{service}:ApiKey"] = trouble == "locked" ? "no-key" : Bad.Key;
        }
        Host = await HostUnderTest.StartAsync(settings);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Bad.DisposeAsync();
        await Good.DisposeAsync();
    }
}

/// <summary>One clean answer, or one clean error.</summary>
public sealed class RunFaultTests(RunFaultSite site) : IClassFixture<RunFaultSite>
{
    public static TheoryData<string> Troubles => [.. FallbackSite.Troubles];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Troubles))]
    public async Task Another_model_answers_whole_and_streamed_and_without_one_there_is_one_error(string trouble)
    {
        var (service, model) = RunFaultSite.Places[trouble];
        site.Bad.EnqueueFor(model, [.. Enumerable.Repeat(FallbackSite.AnswerOf(trouble), 3)]);

        var whole = JsonNode.Parse(await RunAsync(service, model, hasFallback: true, streams: false, HttpStatusCode.OK))!;
        var streamed = Events(await RunAsync(service, model, hasFallback: true, streams: true, HttpStatusCode.OK));
        var lost = JsonNode.Parse(await RunAsync(service, model, hasFallback: false, streams: false, HttpStatusCode.BadRequest))!;

        var data = whole["response"]!["data"]!;
        Assert.Equal(("You said: Hello there", true), ((string?)data["content"], (bool)data["fallback"]!));
        Assert.NotEqual("", (string?)data["firstAttemptError"]);
        Assert.DoesNotContain(streamed, step => (string?)step["event"] == "error");
        Assert.Equal("You said: Hello there",
            string.Concat(streamed.Where(step => (string?)step["event"] == "delta").Select(step => (string?)step["content"])));
        Assert.Equal("done", (string?)streamed[^1]["event"]);
        Assert.False((bool)lost["success"]!);
        Assert.Contains("(Type: ", (string?)lost["error"], StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(string service, string model, bool hasFallback, bool streams, HttpStatusCode expected)
    {
        var body = new JsonObject
        {
            ["service"] = service,
            ["user"] = "Hello there",
            ["stream"] = streams,
            ["configuration"] = new JsonObject { ["model"] = model, ["response_type"] = "text" },
            ["settings"] = new JsonObject
            {
                ["fall_back"] = new JsonObject { ["is_enable"] = hasFallback, ["service"] = "anthropic", ["model"] = "claude-sonnet-4-5" },
            },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v2/model/chat/completion")
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"), Headers = { { "pauthkey", "stoa-dev" } },
        };
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode == expected, text);
        return text;
    }

    private static List<JsonNode> Events(string stream) =>
        [.. stream.Split('\n').Where(line => line.StartsWith("data: {", StringComparison.Ordinal))
            .Select(line => JsonNode.Parse(line["data: ".Length..])!)];
}
