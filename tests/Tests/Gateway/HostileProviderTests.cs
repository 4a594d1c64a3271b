using System.Net;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Gateway;

/// <summary>What a provider sends is not to be trusted: neither its figures, nor its status, nor its JSON.</summary>
public sealed class HostileProviderTests(HostileSite site) : IClassFixture<HostileSite>
{
    private const string Chat = "/v1/chat/completions";
    private const string Messages = "/v1/messages";

    /// <summary>Comments, more than one read takes.</summary>
    private static readonly string Silence = string.Concat(Enumerable.Repeat(": wait\n\n", 50_000));

    [Fact]
    public async Task Absurd_usage_does_not_stop_the_ledger()
    {
        const string most = "9223372036854775807";
        site.Provider.Answers("most-open", "application/json", OpenAi($$"""{"prompt_tokens":{{most}},"completion_tokens":{{most}}}"""));
        site.Provider.Answers("most-anth", "application/json", Anthropic(
            $$"""{"input_tokens":{{most}},"cache_read_input_tokens":{{most}},"cache_creation_input_tokens":{{most}},"output_tokens":-7}"""));
        foreach (var (path, model) in ((string, string)[])[(Chat, "open/most-open"),
            (Messages, "open/most-open"), (Messages, "anth/most-anth"), (Chat, "anth/most-anth")])
        {
            Assert.Equal(HttpStatusCode.OK, (await site.AskAsync(path, model, streams: false)).Status);
        }

        foreach (var model in (string[])["most-open", "most-anth"])
        {
            var sum = await site.UsageOfAsync(model, calls: 2);
            Assert.InRange((long)sum["input_tokens"]!, 1, 1_000);
            Assert.InRange((long)sum["output_tokens"]!, 1, 1_000);
        }
    }

    [Fact]
    public async Task Comments_in_a_stream_are_not_counted_as_its_answer()
    {
        site.Provider.Answers("chatty", "text/event-stream", Silence + """
            data: {"id":"a","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

            data: [DONE]


            """.ReplaceLineEndings("\n"));

        var answer = await site.AskAsync(Chat, "open/chatty", streams: true);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.InRange((long)(await site.UsageOfAsync("chatty", calls: 1))["output_tokens"]!, 0, 10_000);
    }

    [Theory]
    [InlineData(Chat, "open")]
    [InlineData(Messages, "open")]
    [InlineData(Chat, "anth")]
    [InlineData(Messages, "anth")]
    public async Task Half_a_surrogate_pair_in_a_members_name_is_no_error_of_ours(string path, string provider)
    {
        var usage = """{"\ud800aaaaaaaaaaaaaaaaaaaaaa":1,"prompt_tokens":1,"input_tokens":1,"completion_tokens":1,"output_tokens":1}""";
        site.Provider.Answers("half", "application/json", provider == "open" ? OpenAi(usage) : Anthropic(usage));
        site.Provider.Answers("half-stream", "text/event-stream", $$"""
            data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}],"usage":{{usage}}}

            data: [DONE]


            """);

        var whole = await site.AskAsync(path, $"{provider}/half", streams: false);
        var stream = await site.AskAsync(path, "open/half-stream", streams: true);

        Assert.NotEqual(HttpStatusCode.InternalServerError, whole.Status);
        Assert.NotEqual(HttpStatusCode.InternalServerError, stream.Status);
        Assert.DoesNotContain("internal_error", stream.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Chat, "open")]
    [InlineData(Messages, "open")]
    [InlineData(Chat, "anth")]
    [InlineData(Messages, "anth")]
    public async Task An_error_with_status_200_is_told_as_an_error_without_its_secrets(string path, string provider)
    {
        site.Provider.Answers(
            "refusal", "application/json", """{"type":"error","error":{"type":"server_error","message":"no, sk-secret123456"}}""");

        var whole = await site.AskAsync(path, $"{provider}/refusal", streams: false);
        var stream = await site.AskAsync(path, $"{provider}/refusal", streams: true);

        Assert.Equal(HttpStatusCode.BadGateway, whole.Status);
        Assert.Equal(HttpStatusCode.BadGateway, stream.Status);
        Assert.DoesNotContain("sk-secret", whole.Body + stream.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Chat, "open")]
    [InlineData(Messages, "open")]
    [InlineData(Chat, "anth")]
    [InlineData(Messages, "anth")]
    public async Task Whoever_asked_for_a_stream_does_not_get_something_else(string path, string provider)
    {
        site.Provider.Answers("page", "text/html", "<html>It works</html>");
        site.Provider.Answers("whole", "application/json", provider == "open" ? OpenAi("{}") : Anthropic("{}"));

        var page = await site.AskAsync(path, $"{provider}/page", streams: true);
        var whole = await site.AskAsync(path, $"{provider}/whole", streams: true);

        Assert.Equal(HttpStatusCode.BadGateway, page.Status);
        Assert.Equal(HttpStatusCode.BadGateway, whole.Status);
        Assert.DoesNotContain("closed", page.Body + whole.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Chat, "open")]
    [InlineData(Messages, "anth")]
    public async Task A_stream_that_nobody_asked_for_is_refused(string path, string provider)
    {
        site.Provider.Answers("unasked", "text/event-stream", "data: [DONE]\n\n");

        Assert.Equal(HttpStatusCode.BadGateway, (await site.AskAsync(path, $"{provider}/unasked", streams: false)).Status);
    }

    [Theory]
    [InlineData(Chat, "open", """data: {"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"*"}}],"usage":null}""",
        """data: {"error":{"message":"too much","type":"server_error"}}""")]
    [InlineData(Messages, "anth", """
        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"*"}}
        """, """
        event: error
        data: {"type":"error","error":{"type":"overloaded_error","message":"too much"}}
        """)]
    public async Task What_comes_before_an_error_is_passed_on_although_both_come_at_once(
        string path, string provider, string part, string error)
    {
        // The pieces behind the silence are read together.
        var stream =
            $"{part.Replace('*', 'A')}\n\n{Silence}{part.Replace('*', 'B')}\n\n{part.Replace('*', 'C')}\n\n{error}\n\n{part.Replace('*', 'D')}\n\n";
        site.Provider.Answers("broken", "text/event-stream", stream.ReplaceLineEndings("\n"));

        var answer = await site.AskAsync(path, $"{provider}/broken", streams: true);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Contains("\"A\"", answer.Body, StringComparison.Ordinal);
        Assert.Contains("\"B\"", answer.Body, StringComparison.Ordinal);
        Assert.Contains("\"C\"", answer.Body, StringComparison.Ordinal);
        Assert.Contains("too much", answer.Body[answer.Body.IndexOf("\"C\"", StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.DoesNotContain("\"D\"", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_error_in_each_chunk_is_none()
    {
        site.Provider.Answers("calm", "text/event-stream", """
            data: {"error":null,"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}


            """.ReplaceLineEndings("\n") + Silence + """
            data: {"error":null,"id":"a","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

            data: [DONE]


            """.ReplaceLineEndings("\n"));

        var answer = await site.AskAsync(Chat, "open/calm", streams: true);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.EndsWith("data: [DONE]\n\n", answer.Body, StringComparison.Ordinal);
    }

    private static string OpenAi(string usage) => new JsonObject
    {
        ["id"] = "a",
        ["object"] = "chat.completion",
        ["model"] = "m",
        ["choices"] = new JsonArray(new JsonObject
        {
            ["index"] = 0,
            ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = "Hi" },
            ["finish_reason"] = "stop",
        }),
    }.ToJsonString()[..^1] + $",\"usage\":{usage}}}";

    private static string Anthropic(string usage) =>
        """{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":"""
        + usage + "}";
}
