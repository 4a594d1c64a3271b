using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Idempotency;

public sealed class IdempotencyTests(GatewaySite site) : IClassFixture<GatewaySite>
{
    private const string Chat = "/v1/chat/completions";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Chat, """{"model":"openai/gpt-4o","messages":[{"role":"user","content":"once MARK"}]}""")]
    [InlineData(Chat, """{"model":"openai/gpt-4o","stream":true,"messages":[{"role":"user","content":"once MARK 🗼"}]}""")]
    [InlineData(Chat, """{"model":"anthropic/claude","stream":true,"messages":[{"role":"user","content":"once MARK"}]}""")]
    [InlineData("/v1/responses", """{"model":"anthropic/claude","stream":true,"input":"once MARK"}""")]
    [InlineData(
        "/v1/messages", """{"model":"anthropic/claude","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"once MARK"}]}""")]
    public async Task The_same_request_is_answered_once_and_told_twice(string path, string template)
    {
        var mark = $"mark-{Guid.CreateVersion7():n}";
        var body = template.Replace("MARK", mark);
        using var first = await SendAsync(path, body, mark);
        using var second = await SendAsync(path, body, mark);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(await first.Content.ReadAsStringAsync(Ct), await second.Content.ReadAsStringAsync(Ct));
        Assert.Equal(first.Content.Headers.ContentType?.ToString(), second.Content.Headers.ContentType?.ToString());
        Assert.False(first.Headers.Contains("Idempotent-Replayed"));
        Assert.Equal("true", second.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.Single(site.OpenAi.Requests.Concat(site.Anthropic.Requests),
            sent => Encoding.UTF8.GetString(sent.Body.Span).Contains(mark, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_body_under_the_same_key_is_refused_and_a_refusal_is_kept()
    {
        using var wrong = await SendAsync(Chat, """{"model":"openai/gpt-4o"}""", "same");
        Assert.Equal(HttpStatusCode.OK, wrong.StatusCode);
        using var other = await SendAsync(Chat, """{"model":"openai/gpt-4o","messages":[]}""", "same");
        Assert.Equal("idempotency_key_reuse", await CodeAsync(other));
        using var unknown = await SendAsync(Chat, """{"model":"no-such-model","messages":[]}""", "unknown");
        using var again = await SendAsync(Chat, """{"model":"no-such-model","messages":[]}""", "unknown");
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        Assert.Equal("model_not_found", await CodeAsync(again));
        Assert.True(again.Headers.Contains("Idempotent-Replayed"));
        using var tooLong = await SendAsync(Chat, "{}", new string('x', 256));
        Assert.Equal("invalid_idempotency_key", await CodeAsync(tooLong));
    }

    [Fact]
    public async Task A_request_under_way_is_a_conflict_and_a_failure_that_may_pass_is_not_kept()
    {
        var release = new TaskCompletionSource();
        site.Anthropic.EnqueueFor("held", ScriptedAnswer.Text("at last").Hold(0, release.Task));
        var body = """{"model":"anthropic/held","messages":[{"role":"user","content":"x"}]}""";
        var first = SendAsync(Chat, body, "held");
        await site.Anthropic.NextRequestForAsync("held", Ct);
        using var second = await SendAsync(Chat, body, "held");
        Assert.Equal(HttpStatusCode.Conflict, second.StatusCode);
        Assert.Equal("1", second.Headers.GetValues("Retry-After").Single());
        Assert.Equal("idempotency_in_progress", await CodeAsync(second));
        release.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);

        site.Anthropic.EnqueueFor("limited", ScriptedAnswer.Error(429, retryAfter: TimeSpan.FromSeconds(60)));
        var limited = """{"model":"anthropic/limited","messages":[{"role":"user","content":"x"}]}""";
        Assert.Equal(HttpStatusCode.TooManyRequests, (await SendAsync(Chat, limited, "limited")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(Chat, limited, "limited")).StatusCode);
    }

    [Fact]
    public async Task A_stream_that_broke_off_is_made_again()
    {
        site.Anthropic.EnqueueFor("broken", ScriptedAnswer.Text("one two three").EndWithoutFinish());
        var body = """{"model":"anthropic/broken","stream":true,"messages":[{"role":"user","content":"x"}]}""";
        using var first = await SendAsync(Chat, body, "broken");
        Assert.DoesNotContain("[DONE]", await first.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        using var second = await SendAsync(Chat, body, "broken");
        Assert.Contains("[DONE]", await second.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.False(second.Headers.Contains("Idempotent-Replayed"));
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage answer) =>
        (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!["error"]!["code"];

    private async Task<HttpResponseMessage> SendAsync(string path, string body, string key)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev");
        request.Headers.Add("Idempotency-Key", key);
        return await site.Host.Client.SendAsync(request, Ct);
    }
}
