using System.Text;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Tests.Gateway.Providers;

/// <summary>Answers of providers of OpenAI's dialect as each of them sends them, with what sets them apart.</summary>
public sealed class ProviderAnswerTests
{
    private static readonly ChatRequest Request = new() { Model = "m", Source = Dialect.Anthropic };

    [Fact]
    public void Groqs_thoughts_and_usage_are_read()
    {
        var answer = Read("""
            {"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"openai/gpt-oss-20b","choices":[{"index":0,"message":{"role":"assistant","content":"Yes","reasoning":"I see."},"logprobs":null,"finish_reason":"stop"}],
             "usage":{"queue_time":0.01,"prompt_tokens":9,"prompt_time":0.01,"completion_tokens":5,"completion_time":0.1,"total_tokens":14,"total_time":0.11,"completion_tokens_details":{"reasoning_tokens":3}},"x_groq":{"id":"req_1"}}
            """);

        Assert.Equal(("I see.", "Yes"), (Thoughts(answer), answer.Text));
        Assert.Equal(new TokenUsage(9, 5, Reasoning: 3), answer.Usage);
    }

    [Fact]
    public void Groqs_usage_stands_in_a_field_of_its_own_in_streams()
    {
        var events = Stream(
            """{"id":"a","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"x_groq":{"id":"req_1"}}""",
            """{"id":"a","model":"m","choices":[{"index":0,"delta":{"reasoning":"Hm"},"finish_reason":null}]}""",
            """{"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"Yes"},"finish_reason":null}]}""",
            """{"id":"a","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}}""",
            "[DONE]");

        Assert.Equal("Hm", Assert.Single(events.OfType<ChatEvent.ThinkDelta>()).Text);
        Assert.Equal(new TokenUsage(9, 5), Assert.Single(events.OfType<ChatEvent.Usage>()).Tokens);
        Assert.IsType<ChatEvent.End>(events[^1]);
    }

    [Fact]
    public void Mistrals_content_is_a_list_and_its_arguments_may_be_an_object()
    {
        var answer = Read("""
            {"id":"a","object":"chat.completion","model":"magistral-medium","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant",
             "content":[{"type":"thinking","thinking":[{"type":"text","text":"I see."}],"closed":true},{"type":"text","text":"Yes"}],
             "tool_calls":[{"id":"AbCdE1234","function":{"name":"weather","arguments":{"city":"Oslo"}},"index":0}]}}],
             "usage":{"prompt_audio_seconds":null,"prompt_tokens":9,"total_tokens":14,"completion_tokens":5}}
            """);

        Assert.Equal(("I see.", "Yes"), (Thoughts(answer), answer.Text));
        var call = Assert.Single(answer.Parts.OfType<Part.ToolCall>());
        Assert.Equal(("AbCdE1234", """{"city":"Oslo"}"""), (call.Id, call.Arguments));
        Assert.Equal(FinishReason.ToolCalls, answer.FinishReason);
    }

    [Fact]
    public void Mistrals_stream_mixes_thoughts_into_the_content_and_sends_calls_whole()
    {
        var events = Stream(
            """{"id":"a","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]}]},"finish_reason":null}]}""",
            """{"id":"a","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"Yes"},"finish_reason":null}]}""",
            """{"id":"a","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"","tool_calls":[{"id":"AbCdE1234","function":{"name":"f","arguments":"{\"a\": 1}"},"index":0}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":9,"total_tokens":14,"completion_tokens":5}}""",
            "[DONE]");

        Assert.Equal("Hm", Assert.Single(events.OfType<ChatEvent.ThinkDelta>()).Text);
        Assert.Equal("Yes", Assert.Single(events.OfType<ChatEvent.TextDelta>()).Text);
        Assert.Equal(("AbCdE1234", "f"), events.OfType<ChatEvent.ToolStart>().Select(call => (call.Id, call.Name)).Single());
        Assert.Equal(new TokenUsage(9, 5), events.OfType<ChatEvent.Usage>().Last().Tokens);
    }

    [Fact]
    public void Deepseek_counts_what_its_cache_gave() => Assert.Equal(
        new TokenUsage(100, 20, CacheRead: 64, Reasoning: 12),
        Read(Whole("""{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36,"completion_tokens_details":{"reasoning_tokens":12}}""")).Usage);

    [Fact]
    public void Groks_thoughts_are_counted_as_output() => Assert.Equal(
        new TokenUsage(32, 100, CacheRead: 6, Reasoning: 91),
        Read(Whole("""{"prompt_tokens":32,"completion_tokens":9,"total_tokens":132,"prompt_tokens_details":{"text_tokens":32,"cached_tokens":6},"completion_tokens_details":{"reasoning_tokens":91}}""")).Usage);

    [Fact]
    public void Groks_older_name_for_cached_tokens_counts_too() =>
        Assert.Equal(6,
            Read(Whole("""{"prompt_tokens":32,"completion_tokens":9,"total_tokens":41,"cached_prompt_text_tokens":6}""")).Usage.CacheRead);

    [Fact]
    public void Moonshots_usage_stands_in_the_last_choice_of_a_stream()
    {
        var events = Stream(
            """{"id":"a","model":"kimi","choices":[{"index":0,"delta":{"role":"assistant","content":"Yes"},"finish_reason":null}]}""",
            """{"id":"a","model":"kimi","choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":19,"completion_tokens":13,"total_tokens":32,"cached_tokens":10}}]}""",
            "[DONE]");

        Assert.Equal(new TokenUsage(19, 13, CacheRead: 10), Assert.Single(events.OfType<ChatEvent.Usage>()).Tokens);
    }

    [Fact]
    public void Openrouters_stream_may_fail_inside_a_chunk()
    {
        var events = Stream(
            """{"id":"gen-1","provider":"X","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Y","reasoning":"Hm","reasoning_details":[{"type":"reasoning.text","text":"Hm"}]},"finish_reason":null,"native_finish_reason":null}]}""",
            """{"id":"gen-1","provider":"X","model":"m","error":{"code":502,"message":"Provider disconnected"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","native_finish_reason":null}]}""");

        var failure = Assert.Single(events.OfType<ChatEvent.Failed>()).Failure;
        Assert.Equal((FailureKind.Upstream, "Provider disconnected"), (failure.Kind, failure.Message));
    }

    [Theory]
    [InlineData(
        402, """{"error":{"code":402,"message":"Insufficient credits","metadata":{}}}""", "insufficient_quota", "Insufficient credits")]
    [InlineData(498, """{"error":{"message":"Flex tier capacity exceeded","type":"capacity_exceeded","code":"capacity_exceeded"}}""",
        "rate_limit_exceeded", "Flex tier capacity exceeded")]
    [InlineData(
        422, """{"detail":[{"type":"extra_forbidden","loc":["body","store"],"msg":"Extra inputs are not permitted","input":true}]}""",
        "invalid_request", "body.store: Extra inputs are not permitted")]
    [InlineData(
        422, """{"object":"error","message":{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"}]},"type":"invalid_request_error","param":null,"code":null}""", "invalid_request_error", "body.messages: Field required")]
    [InlineData(429, """{"object":"error","message":"Requests rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}""",
        "rate_limit_exceeded", "Requests rate limit exceeded")]
    [InlineData(402, """{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}""",
        "insufficient_quota", "Insufficient Balance")]
    [InlineData(400, """{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***23."}""",
        "upstream_authentication", "The provider refused the gateway's credentials.")]
    [InlineData(401, """{"error":{"message":"Invalid API Key","type":"invalid_request_error","code":"invalid_api_key"}}""",
        "upstream_authentication", "The provider refused the gateway's credentials.")]
    public void Refusals_mean_what_the_provider_means_by_them(int status, string body, string code, string message)
    {
        var failure = OpenAiErrors.Read(new ProviderReply(status), Encoding.UTF8.GetBytes(body));

        Assert.Equal((code, message), (failure.Code, failure.Message));
    }

    private static string Whole(string usage) =>
        $$"""{"id":"a","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Yes"},"finish_reason":"stop"}],"usage":{{usage}}}""";

    private static ChatAnswer Read(string body) =>
        OpenAiDialect.Instance.ReadAnswer(Encoding.UTF8.GetBytes(body), Request, new DialectTarget("m"));

    private static List<ChatEvent> Stream(params string[] chunks)
    {
        var reader = OpenAiDialect.Instance.OpenReader(Request, new DialectTarget("m"));
        var events = new List<ChatEvent>();
        foreach (var chunk in chunks)
        {
            reader.Read("message", Encoding.UTF8.GetBytes(chunk), events);
        }
        reader.End(events);
        return events;
    }

    private static string Thoughts(ChatAnswer answer) => string.Concat(answer.Parts.OfType<Part.Thinking>().Select(part => part.Value));
}
