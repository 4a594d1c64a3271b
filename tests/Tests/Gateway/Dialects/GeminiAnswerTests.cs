using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.Gemini;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Tests.Gateway.Dialects;

/// <summary>
/// What Gemini answers, whole and in a stream, as the gateway understands it; and its signatures on their way through clients.
/// </summary>
public sealed class GeminiAnswerTests
{
    private static readonly DialectTarget Target = new("gemini-3-flash-preview");

    private static readonly ChatRequest Request = OpenAiDialect.Instance.ReadRequest(
        """{"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"2-two"}}]}"""u8.ToArray());

    [Fact]
    public void Parts_become_thoughts_text_and_calls()
    {
        var answer = Read($$$"""
            {"candidates":[{"content":{"role":"model","parts":[
               {"text":"Hm","thought":true},{"text":"Sure","thoughtSignature":"s1"},
               {"functionCall":{"name":"{{{ToolNames.GeminiAlias("2-two")}}}","args":{"b":1,"a":2}},"thoughtSignature":"s2"},
               {"functionCall":{"id":"given","name":"g"}}]},"finishReason":"STOP"}],
             "usageMetadata":{"promptTokenCount":10,"toolUsePromptTokenCount":3,"candidatesTokenCount":5,"thoughtsTokenCount":7,"cachedContentTokenCount":4,
               "promptTokensDetails":[{"modality":"TEXT","tokenCount":8},{"modality":"AUDIO","tokenCount":2}]},
             "modelVersion":"gemini-3","responseId":"r1"}
            """);

        Assert.Equal(("r1", "gemini-3", FinishReason.ToolCalls), (answer.Id, answer.Model, answer.FinishReason));
        Assert.Equal(new TokenUsage(13, 12, CacheRead: 4, Reasoning: 7, AudioIn: 2), answer.Usage);
        Assert.Equal(
            [
                new Part.Thinking("Hm", null, null, Dialect.Gemini),
                new Part.Text("Sure"),
                new Part.Thinking("", null, "s1", Dialect.Gemini),
                new Part.ToolCall(ToolNames.MakeId(0, 3, ToolNames.GeminiAlias("2-two"), """{"b":1,"a":2}"""),
                    "2-two", """{"b":1,"a":2}""") { Signature = "s2" },
                new Part.ToolCall("given", "g", "{}"),
            ],
            answer.Parts);
    }

    [Theory]
    [InlineData("STOP", "Stop")]
    [InlineData("MAX_TOKENS", "Length")]
    [InlineData("SAFETY", "ContentFilter")]
    [InlineData("RECITATION", "ContentFilter")]
    [InlineData("BLOCKLIST", "ContentFilter")]
    [InlineData("PROHIBITED_CONTENT", "ContentFilter")]
    [InlineData("SPII", "ContentFilter")]
    [InlineData("LANGUAGE", "ContentFilter")]
    [InlineData("IMAGE_SAFETY", "ContentFilter")]
    public void Reasons_to_stop_are_told_apart(string finish, string expected)
    {
        var body = $$"""{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"{{finish}}"}]}""";

        Assert.Equal(expected, Read(body).FinishReason.ToString());
        Assert.Equal(expected, Assert.Single(Stream(body).OfType<ChatEvent.Finish>()).Reason.ToString());
        Assert.True(Read(body).Usage.Estimated);
    }

    [Theory]
    [InlineData("OTHER", "upstream_error")]
    [InlineData("UNEXPECTED_TOOL_CALL", "upstream_error")]
    [InlineData("TOO_MANY_TOOL_CALLS", "upstream_error")]
    [InlineData("MALFORMED_FUNCTION_CALL", "upstream_malformed_call")]
    public void A_candidate_that_broke_off_is_a_failure(string finish, string code)
    {
        var body = $$"""{"candidates":[{"finishReason":"{{finish}}"}]}""";

        Assert.Equal(code, Assert.Throws<Failure>(() => Read(body)).Code);
        Assert.Equal(code, ((ChatEvent.Failed)Stream(body)[0]).Failure.Code);
    }

    [Fact]
    public void A_blocked_prompt_is_the_clients_error()
    {
        const string body = """{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}}""";

        Assert.Equal((FailureKind.Invalid, "content_policy_violation"), KindAndCode(Assert.Throws<Failure>(() => Read(body))));
        Assert.Equal("content_policy_violation", ((ChatEvent.Failed)Stream(body)[0]).Failure.Code);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"candidates\":[{}]}")]
    [InlineData("{\"candidates\":[{\"finishReason\":\"STOP\",\"content\":{\"parts\":[{\"functionCall\":{}}]}}]}")]
    [InlineData("{\"candidates\":")]
    public void Nonsense_is_the_providers_failure(string body)
    {
        Assert.Equal("upstream_invalid_response", Assert.Throws<Failure>(() => Read(body)).Code);
        Assert.IsType<ChatEvent.Failed>(Stream(body).First(step => step is not ChatEvent.Start));
    }

    [Fact]
    public void Several_candidates_are_several_choices()
    {
        var answer = Read(
            """{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"},{"index":1,"content":{"parts":[{"text":"b"}]},"finishReason":"MAX_TOKENS"}]}""");

        Assert.Equal(2, answer.Choices.Count);
        Assert.Equal(FinishReason.Length, answer.Choices[1].FinishReason);
    }

    [Fact]
    public void A_stream_opens_blocks_as_kinds_change_and_counts_last()
    {
        var events = Stream(
            """{"candidates":[{"content":{"parts":[{"text":"Hm","thought":true}]}}],"responseId":"r","modelVersion":"v","usageMetadata":{"promptTokenCount":3}}""",
            """{"candidates":[{"content":{"parts":[{"text":"Su"}]}}],"usageMetadata":{"promptTokenCount":3}}""",
            """{"candidates":[{"content":{"parts":[{"text":"re"},{"functionCall":{"id":"c","name":"f","args":{"x":1}},"thoughtSignature":"s"}]}}]}""",
            """{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"thoughtsTokenCount":1}}""");

        Assert.Equal(
            [
                new ChatEvent.Start("r", "v"),
                new ChatEvent.ThinkDelta(0, "Hm", Dialect.Gemini),
                new ChatEvent.Usage(new(3, 0)),
                new ChatEvent.TextDelta(1, "Su"),
                new ChatEvent.TextDelta(1, "re"),
                new ChatEvent.ToolStart(2, "c", "f") { Signature = "s" },
                new ChatEvent.ToolArgs(2, """{"x":1}"""),
                new ChatEvent.ToolEnd(2),
                new ChatEvent.Finish(FinishReason.ToolCalls),
                new ChatEvent.Usage(new(3, 3, Reasoning: 1)),
                new ChatEvent.End(),
            ],
            events);
    }

    [Fact]
    public void A_stream_without_its_finish_has_failed()
    {
        var failed = (ChatEvent.Failed)Stream("""{"candidates":[{"content":{"parts":[{"text":"Su"}]}}]}""")[^2];

        Assert.Equal((FailureKind.Upstream, "upstream_connection"), KindAndCode(failed.Failure));
    }

    [Fact]
    public void An_error_inside_a_stream_has_the_status_that_it_names()
    {
        var failed = (ChatEvent.Failed)Stream("""{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}""")[0];

        Assert.Equal(FailureKind.Overloaded, failed.Failure.Kind);
    }

    [Theory]
    [InlineData(400, "INVALID_ARGUMENT", "no", "ErrorInfo\",\"reason\":\"API_KEY_INVALID", "upstream_authentication")]
    [InlineData(400, "INVALID_ARGUMENT",
        "The input token count (9) exceeds the maximum number of tokens allowed (8).", "x", "context_length_exceeded")]
    [InlineData(400, "INVALID_ARGUMENT", "bad field", "x", "INVALID_ARGUMENT")]
    [InlineData(403, "PERMISSION_DENIED", "no", "x", "permission_denied")]
    [InlineData(404, "NOT_FOUND", "no", "x", "model_not_found")]
    [InlineData(409, "ABORTED", "no", "x", "conflict")]
    [InlineData(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", "RetryInfo\",\"retryDelay\":\"2.5s", "rate_limit_exceeded")]
    [InlineData(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", "x", "insufficient_quota")]
    [InlineData(500, "INTERNAL", "no", "x", "upstream_error")]
    [InlineData(503, "UNAVAILABLE", "no", "x", "overloaded")]
    [InlineData(504, "DEADLINE_EXCEEDED", "no", "x", "upstream_timeout")]
    public void Errors_are_read_with_their_details(int status, string word, string message, string detail, string code)
    {
        var body = $$$"""{"error":{"code":{{{status}}},"message":"{{{message}}}","status":"{{{word}}}","details":[{"@type":"type.googleapis.com/google.rpc.{{{detail}}}"}]}}""";

        var failure = GeminiErrors.Read(new(status), Encoding.UTF8.GetBytes(body));

        Assert.Equal(code, failure.Code);
        Assert.Equal(detail.Contains("2.5s", StringComparison.Ordinal) ? TimeSpan.FromSeconds(2.5) : null, failure.RetryAfter);
    }

    [Fact]
    public void A_quota_of_the_day_is_not_waited_for()
    {
        var body = """
            {"error":{"code":429,"message":"You exceeded your current quota","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]},{"retryDelay":"5s"}]}}
            """;

        Assert.Equal(FailureKind.Quota, GeminiErrors.Read(new(429), Encoding.UTF8.GetBytes(body)).Kind);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_signature_comes_back_to_its_call_through_an_openai_client(bool streams)
    {
        var said = streams ? JoinedDeltas(Write(OpenAiDialect.Instance)) : WriteWhole(OpenAiDialect.Instance)["choices"]![0]!["message"]!;
        var history =
            new JsonArray(User(), said.DeepClone(), new JsonObject { ["role"] = "tool", ["tool_call_id"] = "c", ["content"] = "ok" });

        AssertSigned(OpenAiDialect.Instance, new() { ["model"] = "m", ["messages"] = history });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_signature_comes_back_to_its_call_through_an_anthropic_client(bool streams)
    {
        var anthropic = AnthropicDialect.Of(version: null);
        var content = streams ? JoinedBlocks(Write(anthropic)) : WriteWhole(anthropic)["content"]!.AsArray();
        Assert.Equal(["text", "redacted_thinking", "tool_use"], content.Select(block => (string?)block!["type"]));
        var history = new JsonArray(
            User(),
            new JsonObject { ["role"] = "assistant", ["content"] = content.DeepClone() },
            JsonNode.Parse("""{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"ok"}]}"""));

        AssertSigned(anthropic, new() { ["model"] = "m", ["max_tokens"] = 9, ["messages"] = history });
    }

    private const string Signed = """
        {"candidates":[{"content":{"parts":[{"text":"Look"},{"functionCall":{"id":"c","name":"f","args":{}},"thoughtSignature":"c2ln"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1}}
        """;

    private static void AssertSigned(IClientDialect client, JsonObject body)
    {
        var request = client.ReadRequest(Encoding.UTF8.GetBytes(body.ToJsonString()));
        var output = new ArrayBufferWriter<byte>();
        GeminiDialect.Instance.WriteRequest(request, Target, output);
        var sent = JsonNode.Parse(output.WrittenSpan)!["contents"]![1]!["parts"]!;
        Assert.Equal(
            """[{"text":"Look"},{"functionCall":{"id":"c","name":"f","args":{}},"thoughtSignature":"c2ln"}]""", sent.ToJsonString());

        // To another provider it does not go.
        foreach (var other in (IProviderDialect[])[OpenAiDialect.Instance, AnthropicDialect.Of(version: null)])
        {
            var elsewhere = new ArrayBufferWriter<byte>();
            other.WriteRequest(request, Target, elsewhere);
            Assert.DoesNotContain("c2ln", Encoding.UTF8.GetString(elsewhere.WrittenSpan), StringComparison.Ordinal);
        }
    }

    private static JsonObject User() => new() { ["role"] = "user", ["content"] = "Hi" };

    private static JsonNode WriteWhole(IClientDialect client)
    {
        var output = new ArrayBufferWriter<byte>();
        client.WriteAnswer(Read(Signed), Request, new AnswerHead("id", 1), output);
        return JsonNode.Parse(output.WrittenSpan)!;
    }

    private static List<JsonNode> Write(IClientDialect client)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = client.OpenWriter(Request, new AnswerHead("id", 1));
        Stream(Signed).ForEach(step => writer.Write(step, output));
        return [.. Encoding.UTF8.GetString(output.WrittenSpan).Split('\n')
            .Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => JsonNode.Parse(line[6..])!)];
    }

    private static JsonObject JoinedDeltas(List<JsonNode> chunks)
    {
        var call = chunks.Select(chunk => chunk["choices"]![0]!["delta"]!["tool_calls"]?[0])
            .First(call => call?["id"] is not null)!.DeepClone().AsObject();
        call["function"]!["arguments"] = "{}";
        call.Remove("index");
        return new() { ["role"] = "assistant", ["content"] = "Look", ["tool_calls"] = new JsonArray(call) };
    }

    private static JsonArray JoinedBlocks(List<JsonNode> events)
    {
        var blocks = new JsonArray([.. events.Select(step => step["content_block"]).OfType<JsonNode>().Select(block => block.DeepClone())]);
        blocks[0]!["text"] = "Look";
        return blocks;
    }

    private static (FailureKind Kind, string Code) KindAndCode(Failure failure) => (failure.Kind, failure.Code);

    private static ChatAnswer Read(string body) => GeminiDialect.Instance.ReadAnswer(Encoding.UTF8.GetBytes(body), Request, Target);

    private static List<ChatEvent> Stream(params string[] chunks)
    {
        var events = new List<ChatEvent>();
        var reader = GeminiDialect.Instance.OpenReader(Request, Target);
        foreach (var chunk in chunks)
        {
            reader.Read("message", Encoding.UTF8.GetBytes(chunk), events);
        }
        reader.End(events);
        return events;
    }
}
