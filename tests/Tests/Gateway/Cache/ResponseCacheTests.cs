using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Gateway;
using Stoa.Gateway.Cache;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Cache;

public sealed class ResponseCacheTests(GatewaySite site, TestDatabase database) : IClassFixture<GatewaySite>, IClassFixture<TestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/v1/chat/completions", "openai/gpt-4o")]
    [InlineData("/v1/messages", "anthropic/cached")]
    [InlineData("/v1/chat/completions", "anthropic/cached")]
    public async Task The_same_request_is_answered_again_without_the_provider_and_costs_nothing(string path, string model)
    {
        var word = $"{path} {model}";
        var body = $$"""{"model":"{{model}}","max_tokens":20,"temperature":0,"messages":[{"role":"user","content":"{{word}}"}]}""";
        using var first = await AskAsync(path, body, "on");
        var asked = Asked(word);

        // The same said otherwise: other order, other spaces, another user.
        using var second = await AskAsync(
            path, $$"""{ "messages":[{"content":"{{word}}","role":"user"}], "user":"u-1", "temperature":0, "max_tokens":20, "model":"{{model}}" }""", "on");

        Assert.Equal(("miss", "hit"), (Cache(first), Cache(second)));
        Assert.Equal(await first.Content.ReadAsStringAsync(Ct), await second.Content.ReadAsStringAsync(Ct));
        Assert.Equal((1, asked), (asked, Asked(word)));
        var (made, given) = (await site.RecordAsync(first), await site.RecordAsync(second));
        Assert.Equal((false, true, 0m), ((bool)made["is_cached"]!, (bool)given["is_cached"]!, (decimal)given["cost"]!));
        Assert.Equal((long)made["output_tokens"]!, (long)given["output_tokens"]!);
    }

    [Theory]
    [InlineData(null, null, false)]
    [InlineData("off", null, false)]
    [InlineData("on", "no-store", false)]
    [InlineData("on", null, true)]
    public async Task Nothing_is_kept_of_a_call_that_does_not_ask_for_it(string? wish, string? control, bool stream)
    {
        var body = $$"""{"model":"openai/listed","stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"{{wish}}{{control}}{{stream}} not kept"}]}""";
        using var first = await AskAsync("/v1/chat/completions", body, wish, control);
        await first.Content.ReadAsStringAsync(Ct);
        using var second = await AskAsync("/v1/chat/completions", body, wish, control);
        Assert.Equal(("bypass", "bypass"), (Cache(first), Cache(second)));
    }

    [Theory]
    [InlineData("""{"model":"openai/listed","messages":[{"role":"user","content":"same"}]}""",
        """{"model":"openai/listed","messages":[{"role":"user","content":"other"}]}""")]
    [InlineData("""{"model":"openai/listed","messages":[{"role":"user","content":"seeded"}]}""",
        """{"model":"openai/listed","seed":1,"messages":[{"role":"user","content":"seeded"}]}""")]
    [InlineData("""{"model":"openai/listed","messages":[{"role":"user","content":"model"}]}""",
        """{"model":"openai/gpt-4o","messages":[{"role":"user","content":"model"}]}""")]
    public async Task Another_request_has_another_answer(string one, string other)
    {
        using var first = await AskAsync("/v1/chat/completions", one, "on");
        using var second = await AskAsync("/v1/chat/completions", other, "on");
        Assert.Equal(("miss", "miss"), (Cache(first), Cache(second)));
    }

    [Fact]
    public async Task An_answer_that_calls_a_tool_is_not_given_again()
    {
        const string Body = """
            {"model":"openai/listed","messages":[{"role":"user","content":"weather?"}],"tool_choice":"required",
             "tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{}}}}]}
            """;
        using var first = await AskAsync("/v1/chat/completions", Body, "on");
        using var second = await AskAsync("/v1/chat/completions", Body, "on");
        Assert.Equal(("miss", "miss"), (Cache(first), Cache(second)));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("604801")]
    [InlineData("an hour")]
    public async Task A_wrong_time_to_live_is_refused(string seconds)
    {
        using var answer = await AskAsync("/v1/chat/completions", """{"model":"openai/listed","messages":[]}""", "on", timeToLive: seconds);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Of_the_same_requests_at_once_one_asks()
    {
        using var cache = Cache(TimeProvider.System);
        var key = Key("at once");
        var asked = 0;
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var all = Enumerable.Range(0, 50).Select(_ => cache.GetOrRunAsync(key, TimeSpan.FromHours(1), AskAsync, Ct)).ToList();
        await Patience.UntilAsync(() => Volatile.Read(ref asked) > 0);
        go.SetResult();
        var answers = await Task.WhenAll(all);

        Assert.Equal(1, asked);
        Assert.Single(answers, answer => answer is null);
        Assert.All(answers.OfType<CachedAnswer>(), answer => Assert.Equal("answer", Encoding.UTF8.GetString(answer.Body.Span)));

        async Task<CachedAnswer?> AskAsync(CancellationToken ct)
        {
            Interlocked.Increment(ref asked);
            await go.Task.WaitAsync(ct);
            return Answer;
        }
    }

    [Fact]
    public async Task Who_waited_for_an_answer_that_failed_asks_for_himself()
    {
        using var cache = Cache(TimeProvider.System);
        var key = Key("failing");
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var asked = false;
        var first = cache.GetOrRunAsync(key, TimeSpan.FromHours(1), FailAsync, Ct);
        await started.Task;
        var second = cache.GetOrRunAsync(key, TimeSpan.FromHours(1), AskAsync, Ct);
        go.SetResult();

        await Assert.ThrowsAsync<InvalidOperationException>(() => first);
        await second;
        Assert.True(asked);

        async Task<CachedAnswer?> FailAsync(CancellationToken ct)
        {
            started.SetResult();
            await go.Task.WaitAsync(ct);
            throw new InvalidOperationException("cut");
        }

        Task<CachedAnswer?> AskAsync(CancellationToken ct)
        {
            asked = true;
            return Task.FromResult<CachedAnswer?>(Answer);
        }
    }

    [Fact]
    public async Task Another_node_and_only_the_same_organization_finds_the_answer_until_it_ends()
    {
        var clock = new FakeClock();
        using var one = Cache(clock);
        using var other = Cache(clock);
        var key = Key("shared");
        await one.StoreAsync(key, Answer, TimeSpan.FromMinutes(1), Ct);

        Assert.Equal("answer", Encoding.UTF8.GetString((await other.FindAsync(key, Ct))!.Body.Span));
        Assert.Null(await other.FindAsync(key with { OrganizationId = Guid.CreateVersion7() }, Ct));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(await other.FindAsync(key, Ct));
        Assert.Null(await one.FindAsync(key, Ct));
    }

    [Fact]
    public async Task Without_the_database_the_cache_is_that_of_the_node()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Timeout=1");
        using var cache =
            new ResponseCache(new(nowhere), Options.Create(new GatewayOptions()), TimeProvider.System, NullLogger<ResponseCache>.Instance);
        Assert.Null(await cache.FindAsync(Key("away"), Ct));
        await cache.StoreAsync(Key("away"), Answer, TimeSpan.FromHours(1), Ct);
        Assert.NotNull(await cache.FindAsync(Key("away"), Ct));
    }

    private static readonly CachedAnswer Answer = new("answer"u8.ToArray(), new(1, 2));

    private static CacheKey Key(string text) => CacheKey.Of(Organization.DefaultId, "test", Encoding.UTF8.GetBytes(text));

    private static string Cache(HttpResponseMessage answer) => answer.Headers.GetValues("x-gtwy-cache").Single();

    private int Asked(string word) => site.OpenAi.Requests.Concat(site.Anthropic.Requests)
        .Count(request => request.Json!.ToJsonString().Contains(JsonValue.Create(word).ToJsonString(), StringComparison.Ordinal));

    private ResponseCache Cache(TimeProvider time) =>
        new(new(database.Source), Options.Create(new GatewayOptions()), time, NullLogger<ResponseCache>.Instance);

    private async Task<HttpResponseMessage> AskAsync(
        string path, string body, string? wish, string? control = null, string? timeToLive = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev") },
        };
        foreach (var (name, value) in ((string, string?)[])[("x-gtwy-cache", wish),
            ("cache-control", control), ("x-gtwy-cache-ttl", timeToLive)])
        {
            if (value is not null)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }
        return await site.Host.Client.SendAsync(request, Ct);
    }
}
