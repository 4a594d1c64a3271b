using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway;

/// <summary>What a client sends harms nobody: not the process, not the provider's standing, not the ledger.</summary>
public sealed class HostileClientTests(HostileSite site) : IClassFixture<HostileSite>
{
    private const string Chat = "/v1/chat/completions";
    private const string Messages = "/v1/messages";

    private const string Answer = """
        {"id":"a","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}
        """;

    [Theory]
    [InlineData(Chat)]
    [InlineData(Messages)]
    public async Task A_models_name_may_be_in_any_script(string path)
    {
        site.Provider.Answers("模型-é\u2028", "application/json", Answer);

        Assert.Equal(HttpStatusCode.OK, (await site.AskAsync(path, "open/模型-é\u2028", streams: false)).Status);
    }

    [Theory]
    [InlineData(Messages)]
    [InlineData("/v1/messages/count_tokens")]
    public async Task Headers_that_cannot_be_sent_on_are_refused_before_the_provider_is_blamed(string path)
    {
        var before = site.Provider.Calls;
        for (var call = 0; call < 6; call++)
        {
            var answer = await site.PostAsync(
                path, """{"model":"anth/any","max_tokens":5,"messages":[{"role":"user","content":"x"}]}""",
                ("anthropic-beta", new string('b', 5_000)));
            Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        }
        site.Provider.Answers("any", "application/json", """{"type":"message","content":[],"usage":{},"input_tokens":1}""");

        var good = await site.PostAsync(path, """{"model":"anth/any","max_tokens":5,"messages":[{"role":"user","content":"x"}]}""");

        Assert.Equal((HttpStatusCode.OK, before + 1), (good.Status, site.Provider.Calls));
    }

    [Theory]
    [InlineData("""{"type":"array","minItems":1000000000,"items":{"type":"string","minLength":100000}}""")]
    [InlineData("""{"type":"object","minProperties":1000,"patternProperties":{"^(a|a)*b{1000}$":{"type":"string","minLength":100000}}}""")]
    [InlineData("""{"type":"string","pattern":"((((((((((a{9}){9}){9}){9}){9}){9}){9}){9}){9}){9})"}""")]
    [InlineData(
        """{"type":"array","minItems":500,"uniqueItems":true,"items":{"type":"array","minItems":500,"items":{"type":"integer"}}}""")]
    public async Task A_short_schema_cannot_ask_for_gigabytes(string schema)
    {
        var (status, body) = await site.SampleAsync(schema);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.InRange(body.Length, 1, 16 << 20);
    }

    [Theory]
    [InlineData("""{"type":"number","exclusiveMinimum":79228162514264337593543950335,"multipleOf":0.3}""")]
    [InlineData("""{"type":"string","minLength":-5,"maxLength":-1}""")]
    [InlineData("""{"type":"integer","multipleOf":1e-28}""")]
    public async Task Limits_beyond_reason_are_no_error_of_ours(string schema) =>
        Assert.Equal(HttpStatusCode.OK, (await site.SampleAsync(schema)).Status);

    [Fact]
    public async Task A_schema_that_repeats_itself_a_thousand_times_is_cut_short()
    {
        var members = new JsonObject(Enumerable.Range(0, 200)
            .Select(number => KeyValuePair.Create($"p{number}", (JsonNode?)new JsonObject { ["type"] = "string" })));
        var parts = Enumerable.Range(0, 2000).Select(_ => (JsonNode)new JsonObject { ["$ref"] = "#/$defs/a" });
        var schema = new JsonObject
        {
            ["allOf"] = new JsonArray([.. parts]),
            ["$defs"] = new JsonObject { ["a"] = new JsonObject { ["type"] = "object", ["properties"] = members } },
        };

        var answer = await site.SampleAsync(schema.ToJsonString());

        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task The_demo_makes_no_more_numbers_than_fit()
    {
        var inputs = new JsonArray([.. Enumerable.Repeat("a", 2048).Select(text => JsonValue.Create(text))]);

        var answer = await site.PostAsync(
            "/v1/embeddings", new JsonObject { ["model"] = "demo/demo", ["input"] = inputs, ["dimensions"] = 65_536 }.ToJsonString());

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    [Fact]
    public async Task A_price_may_name_its_moment_in_any_time_zone()
    {
        var answer = await site.PostAsync(
            "/api/stoa/prices", """{"provider":"open","model":"zone","input":1,"output":2,"valid_from":"2026-01-01T00:00:00+02:00"}""");

        Assert.Equal(HttpStatusCode.Created, answer.Status);
    }

    [Theory]
    [InlineData("utf-7")]
    [InlineData("nonsense")]
    public async Task A_charset_that_cannot_be_read_is_refused(string charset)
    {
        using var content = new ByteArrayContent("{}"u8.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", $"application/json; charset={charset}");

        using var answer = await site.Client.PostAsync("/api/stoa/prices", content, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    }

    [Fact]
    public async Task Before_the_tables_are_there_a_call_is_told_to_come_again()
    {
        await using var host = await HostUnderTest.StartAsync();
        host.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev");
        var seen = new HashSet<HttpStatusCode>();
        while (!seen.Contains(HttpStatusCode.OK) && seen.All(status => status == HttpStatusCode.ServiceUnavailable))
        {
            using var answer = await host.Client.GetAsync("/api/stoa/usage", TestContext.Current.CancellationToken);
            seen.Add(answer.StatusCode);
        }

        Assert.All(seen, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{status}"));
    }

    [Fact]
    public async Task After_refusals_and_answers_no_call_is_under_way()
    {
        await site.AskAsync(Chat, "demo/demo", streams: true);
        await site.PostAsync(Messages, """{"model":"demo/demo","messages":5}""");

        Assert.Equal(0, site.InFlight);
    }
}
