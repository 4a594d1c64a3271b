using System.Net;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Completions;

public sealed class ForwardTests(GatewaySite site) : IClassFixture<GatewaySite>
{
    private const string OpenAi = "/v1/chat/completions";
    private const string Anthropic = "/v1/messages";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_body_goes_out_as_it_came_but_for_the_models_name()
    {
        var body = """{ "model":"openai/gpt-4o", "x_new_field":{"a":[1,2,{"b":null}]},"messages":[{"role":"user","content":"caf\u00e9 ☕"}] , "seed":7}""";
        using var answer = await site.PostAsync(OpenAi, body);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var sent = site.OpenAi.Requests[^1];
        Assert.Equal(JsonNode.Parse(body.Replace("openai/gpt-4o", "gpt-4o"))!.ToJsonString(), sent.Json!.ToJsonString());
        Assert.Equal("openai", answer.Headers.GetValues("x-gtwy-service").Single());
        Assert.Equal("gpt-4o", answer.Headers.GetValues("x-gtwy-model").Single());
        Assert.Equal("1", answer.Headers.GetValues("x-gtwy-attempts").Single());
    }

    [Fact]
    public async Task A_stream_always_asks_the_provider_for_usage_and_shows_it_only_to_who_asked()
    {
        using var silent =
            await site.PostAsync(OpenAi, """{"model":"listed","stream":true,"messages":[{"role":"user","content":"one two three"}]}""");
        var text = await silent.Content.ReadAsStringAsync(Ct);
        Assert.True((bool)site.OpenAi.Requests[^1].Json!["stream_options"]!["include_usage"]!);
        Assert.DoesNotContain("usage", text, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);

        using var none = await site.PostAsync(
            OpenAi, """{"model":"listed","stream":true,"stream_options":null,"messages":[{"role":"user","content":"one two three"}]}""");
        Assert.DoesNotContain("usage", await none.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.True((bool)site.OpenAi.Requests[^1].Json!["stream_options"]!["include_usage"]!);
        Assert.False((bool)(await site.RecordAsync(none))["is_estimated"]!);

        using var asking = await site.PostAsync(
            OpenAi, """{"model":"listed","stream":true,"stream_options":{"include_usage":true,"x":1},"messages":[{"role":"user","content":"one two three"}]}""");
        Assert.Contains("\"prompt_tokens\"", await asking.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Equal(1, (int)site.OpenAi.Requests[^1].Json!["stream_options"]!["x"]!);

        var (first, second) = (await site.RecordAsync(silent), await site.RecordAsync(asking));
        Assert.Equal((long)second["input_tokens"]!, (long)first["input_tokens"]!);
        Assert.False((bool)first["is_estimated"]!);
        Assert.True((bool)first["is_stream"]!);
    }

    [Theory]
    [InlineData(Anthropic, "event: message_stop")]
    [InlineData(OpenAi, "data: [DONE]")]
    public async Task Text_that_names_the_end_of_a_stream_does_not_end_it(string path, string end)
    {
        var provider = path == Anthropic ? site.Anthropic : site.OpenAi;
        var model = path == Anthropic ? "anthropic/claude" : "openai/gpt-4o";
        provider.Enqueue(ScriptedAnswer.Text("it ends with message_stop and [DONE] and goes on ").SplitBytes(7));
        using var answer = await site.PostAsync(
            path, $$"""{"model":"{{model}}","max_tokens":50,"stream":true,"messages":[{"role":"user","content":"x"}]}""");
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.Contains("goes", text, StringComparison.Ordinal);
        Assert.Equal(1, text.Split(end).Length - 1);
        Assert.Equal(provider.Requests[^1].Reported!.Output, (long)(await site.RecordAsync(answer))["output_tokens"]!);
    }

    [Fact]
    public async Task A_call_costs_what_its_tokens_cost_to_the_tenth_place()
    {
        site.OpenAi.EnqueueFor("gpt-4o", ScriptedAnswer.Text("x").WithUsage(new(Input: 1_001, Output: 7, CacheRead: 1_000)));
        using var answer = await site.PostAsync(OpenAi, """{"model":"openai/gpt-4o","messages":[{"role":"user","content":"x"}]}""");
        var record = await site.RecordAsync(answer);
        // 1 fresh × 2.5 + 1000 cached × 1.25 + 7 × 10, for a million.
        Assert.Equal(0.0013225m, (decimal)record["cost"]!);
        Assert.Equal(1_000, (long)record["cache_read_tokens"]!);
    }

    [Fact]
    public async Task A_failed_call_is_recorded_with_its_reason_and_costs_nothing()
    {
        site.OpenAi.EnqueueFor(
            "gpt-4o", ScriptedAnswer.Error(400, """{"error":{"message":"no","type":"invalid_request_error","code":"bad"}}"""));
        using var answer = await site.PostAsync(OpenAi, """{"model":"openai/gpt-4o","messages":[{"role":"user","content":"x"}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var record = await site.RecordAsync(answer);
        Assert.Equal("failed", (string)record["outcome"]!);
        Assert.Equal(0, (long)record["input_tokens"]!);
        Assert.Equal(400, (int)record["status"]!);
    }

    [Theory]
    [InlineData(OpenAi, """{"model":"openai/other","messages":[{"role":"user","content":"x"}]}""", HttpStatusCode.NotFound)]
    [InlineData(OpenAi, """{"model":"nobody/x","messages":[{"role":"user","content":"x"}]}""", HttpStatusCode.NotFound)]
    [InlineData(OpenAi, """{"model":"anthropic/claude\u0000","messages":[{"role":"user","content":"x"}]}""", HttpStatusCode.NotFound)]
    [InlineData(OpenAi, """{"messages":[]}""", HttpStatusCode.BadRequest)]
    [InlineData(
        Anthropic, """{"model":"openai/other","max_tokens":5,"messages":[{"role":"user","content":"x"}]}""", HttpStatusCode.NotFound)]
    [InlineData(Anthropic, """{"model":""", HttpStatusCode.BadRequest)]
    public async Task What_cannot_be_served_is_refused_in_the_clients_dialect(string path, string body, HttpStatusCode status)
    {
        using var answer = await site.PostAsync(path, body);
        Assert.Equal(status, answer.StatusCode);
        var error = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!;
        Assert.Equal(path == Anthropic ? "error" : null, (string?)error["type"]);
        Assert.NotEmpty((string)error["error"]!["message"]!);
    }

    [Theory]
    [InlineData(OpenAi, "x-ratelimit-remaining-requests")]
    [InlineData(Anthropic, "anthropic-ratelimit-requests-remaining")]
    public async Task A_keys_limit_of_requests_is_told_and_held(string path, string remaining)
    {
        var key = await site.KeyAsync(requests: 2);
        var body = """{"model":"demo/demo","max_tokens":5,"messages":[{"role":"user","content":"x"}]}""";
        using var first = await site.PostAsync(path, body, key);
        using var second = await site.PostAsync(path, body, key);
        using var third = await site.PostAsync(path, body, key);
        Assert.Equal(["1", "0"], [first.Headers.GetValues(remaining).Single(), second.Headers.GetValues(remaining).Single()]);
        Assert.Equal(HttpStatusCode.TooManyRequests, third.StatusCode);
        Assert.InRange(third.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 61);
    }

    [Fact]
    public async Task A_keys_limit_of_tokens_counts_what_was_really_used()
    {
        var key = await site.KeyAsync(tokens: 1_000);
        var body = """{"model":"listed","messages":[{"role":"user","content":"x"}]}""";
        site.OpenAi.EnqueueFor("listed", ScriptedAnswer.Text("x").WithUsage(new(Input: 900, Output: 99)));
        using var first = await site.PostAsync(OpenAi, body, key);
        using var second = await site.PostAsync(OpenAi, body, key);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
    }

    [Fact]
    public async Task A_key_uses_only_the_models_and_providers_it_is_given()
    {
        var byModel = await site.KeyAsync(models: ["openai/gpt-4o"]);
        var byProvider = await site.KeyAsync(providers: ["demo"]);
        var body = """{"model":"listed","messages":[{"role":"user","content":"x"}]}""";
        using var model = await site.PostAsync(OpenAi, body, byModel);
        using var provider = await site.PostAsync(OpenAi, body, byProvider);
        Assert.Equal([HttpStatusCode.Forbidden, HttpStatusCode.Forbidden], [model.StatusCode, provider.StatusCode]);
        Assert.Equal(
            ["openai/gpt-4o"], (await site.GetAsync("/v1/models", byModel))["data"]!.AsArray().Select(entry => (string)entry!["id"]!));
    }

    [Fact]
    public async Task A_model_cannot_be_deleted()
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/v1/models/demo/demo");
        request.Headers.Authorization = new("Bearer", await site.KeyAsync());
        using var refused = await site.Host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task Who_holds_a_key_sees_its_own_usage_and_no_other()
    {
        var key = await site.KeyAsync();
        using var mine = await site.PostAsync(OpenAi, """{"model":"demo/demo","messages":[{"role":"user","content":"x"}]}""", key);
        using var others = await site.PostAsync(OpenAi, """{"model":"demo/demo","messages":[{"role":"user","content":"x"}]}""");
        await site.RecordAsync(mine);
        await site.RecordAsync(others);
        var sums = await site.GetAsync("/api/stoa/usage?key_id=00000000-0000-7000-8000-0000000000de", key);
        Assert.Equal(1, (long)sums["items"]!.AsArray().Single()!["calls"]!);
    }

    [Fact]
    public async Task Sums_equal_their_rows_from_quarters_and_from_any_moment()
    {
        for (var call = 0; call < 5; call++)
        {
            using var answer = await site.PostAsync(OpenAi, """{"model":"demo/demo","messages":[{"role":"user","content":"sum"}]}""");
            await site.RecordAsync(answer);
        }
        var rows = (await site.GetAsync("/api/stoa/usage/calls?limit=1000"))["items"]!.AsArray();
        foreach (var from in (string[])["2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z"])
        {
            var sums = (await site.GetAsync($"/api/stoa/usage?from={from}&group_by=key,model,hour"))["items"]!.AsArray();
            Assert.Equal(rows.Count, sums.Sum(sum => (long)sum!["calls"]!));
            Assert.Equal(rows.Sum(row => (long)row!["input_tokens"]!), sums.Sum(sum => (long)sum!["input_tokens"]!));
            Assert.Equal(rows.Sum(row => (decimal?)row!["cost"] ?? 0), sums.Sum(sum => (decimal)sum!["cost"]!));
        }
    }
}
