using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway;

/// <summary>Clients of both dialects before a provider that speaks Gemini's dialect, over the whole host.</summary>
public sealed class GeminiProviderTests(GeminiSite site) : IClassFixture<GeminiSite>
{
    private const string Chat = "/v1/chat/completions";
    private const string Messages = "/v1/messages";
    private const string Words = "Grüße: 東京 🗼 and 👩‍🔬.";

    public static TheoryData<string> Dialects => [Chat, Messages];

    [Theory, MemberData(nameof(Dialects))]
    public async Task Text_comes_with_usage(string path)
    {
        site.Provider.EnqueueFor("text", ScriptedAnswer.Text(Words).WithUsage(new(20, 9, CacheRead: 5, Reasoning: 4)));

        var (status, body) = await site.PostAsync(path, Ask(path, "gemini/text"));

        Assert.Equal(200, status);
        var answer = JsonNode.Parse(body)!;
        Assert.Equal(Words, TextOf(path, answer));
        var usage = answer["usage"]!;
        if (path == Chat)
        {
            Assert.Equal((20, 9), ((int)usage["prompt_tokens"]!, (int)usage["completion_tokens"]!));
            Assert.Equal((5, 4),
                ((int)usage["prompt_tokens_details"]!["cached_tokens"]!, (int)usage["completion_tokens_details"]!["reasoning_tokens"]!));
        }
        else
        {
            Assert.Equal((15, 5, 9), ((int)usage["input_tokens"]!, (int)usage["cache_read_input_tokens"]!, (int)usage["output_tokens"]!));
        }
    }

    [Theory, MemberData(nameof(Dialects))]
    public async Task A_stream_survives_being_split_inside_characters(string path)
    {
        site.Provider.EnqueueFor("split", ScriptedAnswer.Text(Words).SplitBytes(1));

        var (status, body) = await site.PostAsync(path, Ask(path, "gemini/split", streams: true));

        Assert.Equal(200, status);
        Assert.Equal(Words, string.Concat(Events(body).Select(step => StreamedText(path, step))));
        Assert.DoesNotContain("error", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_request_names_model_and_method_in_its_address_and_the_key_in_its_header()
    {
        await site.PostAsync(Chat, Ask(Chat, "gemini/a model", streams: true));

        var sent = site.Provider.RequestsFor("a model").Single();
        Assert.Equal("/v1beta/models/a model:streamGenerateContent", sent.Path);
        Assert.Equal("?alt=sse", sent.Query);
        Assert.Equal(site.Provider.Key, sent.Headers["x-goog-api-key"]);
        Assert.DoesNotContain("Authorization", sent.Headers.Keys, StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Parallel_calls_and_their_results_go_round_in_openais_dialect()
    {
        site.Provider.EnqueueFor("gemini-3-tools", Calls());
        var ask = Ask(Chat, "gemini/gemini-3-tools");
        ask["tools"] = JsonNode.Parse(
            """[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]""");

        var first = JsonNode.Parse((await site.PostAsync(Chat, ask)).Body)!["choices"]![0]!;
        var messages = ask["messages"]!.AsArray();
        messages.Add(first["message"]!.DeepClone());
        foreach (var call in first["message"]!["tool_calls"]!.AsArray())
        {
            messages.Add(new JsonObject { ["role"] = "tool", ["tool_call_id"] = (string?)call!["id"],
                ["content"] = $"sun in {JsonNode.Parse((string)call["function"]!["arguments"]!)!["city"]}" });
        }
        var second = JsonNode.Parse((await site.PostAsync(Chat, ask)).Body)!;

        Assert.Equal("tool_calls", (string?)first["finish_reason"]);
        Assert.Equal("You said: sun in Oslo", TextOf(Chat, second));
        AssertWentRound("gemini-3-tools");
    }

    [Fact]
    public async Task Parallel_calls_and_their_results_go_round_in_anthropics_dialect()
    {
        site.Provider.EnqueueFor("gemini-3-uses", Calls());
        var ask = Ask(Messages, "gemini/gemini-3-uses");
        ask["tools"] = JsonNode.Parse("""[{"name":"weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}]""");

        var first = JsonNode.Parse((await site.PostAsync(Messages, ask)).Body)!;
        var messages = ask["messages"]!.AsArray();
        messages.Add(new JsonObject { ["role"] = "assistant", ["content"] = first["content"]!.DeepClone() });
        messages.Add(new JsonObject
        {
            ["role"] = "user",
            ["content"] = new JsonArray(
                [.. first["content"]!.AsArray().Where(block => (string?)block!["type"] == "tool_use").Select(use => new JsonObject
            {
                ["type"] = "tool_result", ["tool_use_id"] = (string?)use!["id"], ["content"] = $"sun in {use["input"]!["city"]}",
            })]),
        });
        var second = JsonNode.Parse((await site.PostAsync(Messages, ask)).Body)!;

        Assert.Equal("tool_use", (string?)first["stop_reason"]);
        Assert.Equal("You said: sun in Oslo", TextOf(Messages, second));
        AssertWentRound("gemini-3-uses");
    }

    [Theory, MemberData(nameof(Dialects))]
    public async Task A_page_that_an_answer_rests_on_is_told_in_the_clients_words(string path)
    {
        site.Provider.EnqueueFor("grounded", ScriptedAnswer.Error(200, """
            {"candidates":[{"content":{"parts":[{"text":"High tide."}]},"finishReason":"STOP","groundingMetadata":{
              "groundingChunks":[{"web":{"uri":"https://a.example","title":"A"} }],
              "groundingSupports":[{"segment":{"endIndex":10,"text":"High tide."},"groundingChunkIndices":[0]}]} }]}
            """));

        var (_, body) = await site.PostAsync(path, Ask(path, "gemini/grounded"));

        Assert.Equal(
            path == Chat
                ? """[{"type":"url_citation","url_citation":{"start_index":0,"end_index":10,"url":"https://a.example","title":"A"}}]"""
                : """[{"type":"web_search_result_location","url":"https://a.example","title":"A","cited_text":"","encrypted_index":""}]""",
            (path == Chat ? JsonNode.Parse(body)!["choices"]![0]!["message"]!["annotations"]
                : JsonNode.Parse(body)!["content"]![0]!["citations"])!.ToJsonString());
    }

    [Fact]
    public async Task A_demanded_schema_is_met()
    {
        var ask = Ask(Chat, "gemini/schema");
        ask["response_format"] = JsonNode.Parse(
            """{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object","properties":{"city":{"type":"string"}}}}}""");

        var answer = JsonNode.Parse((await site.PostAsync(Chat, ask)).Body)!;

        Assert.Equal("""{"city":"text"}""", TextOf(Chat, answer));
    }

    [Theory, MemberData(nameof(Dialects))]
    public async Task A_picture_given_by_its_address_is_fetched(string path)
    {
        var (status, _) = await site.PostAsync(path, Show(path, "gemini/shown", $"{site.Web}/picture"));

        Assert.Equal(200, status);
        var part = site.Provider.RequestsFor("shown")[^1].Json!["contents"]![0]!["parts"]![0]!["inlineData"]!;
        Assert.Equal("image/png", (string?)part["mimeType"]);
        Assert.Equal(Convert.ToBase64String(GeminiSite.Picture), (string?)part["data"]);
    }

    [Theory]
    [InlineData("{0}/page", "unreadable_address")]
    [InlineData("{0}/nothing", "unreadable_address")]
    [InlineData("http://169.254.169.254/latest", "url_not_allowed")]
    public async Task An_address_without_a_picture_is_the_clients_error(string address, string code)
    {
        var (status, body) =
            await site.PostAsync(Chat, Show(Chat, "gemini/unseen", address.Replace("{0}", site.Web, StringComparison.Ordinal)));

        Assert.Equal(400, status);
        Assert.Equal(code, (string?)JsonNode.Parse(body)!["error"]!["code"]);
        Assert.Empty(site.Provider.RequestsFor("unseen"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_blocked_prompt_is_refused_in_the_clients_words(bool streams)
    {
        site.Provider.EnqueueFor("blocked", ScriptedAnswer.Error(
            200, """{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":3}}"""));

        var (status, body) = await site.PostAsync(Chat, Ask(Chat, "gemini/blocked", streams));

        Assert.Equal(400, status);
        Assert.Equal("content_policy_violation", (string?)JsonNode.Parse(body)!["error"]!["code"]);
    }

    [Fact]
    public async Task A_blocked_answer_ends_with_the_filter()
    {
        site.Provider.EnqueueFor("unsafe", ScriptedAnswer.Error(200, """{"candidates":[{"finishReason":"SAFETY","index":0}]}"""));

        var answer = JsonNode.Parse((await site.PostAsync(Chat, Ask(Chat, "gemini/unsafe"))).Body)!;

        Assert.Equal("content_filter", (string?)answer["choices"]![0]!["finish_reason"]);
    }

    [Theory, MemberData(nameof(Dialects))]
    public async Task A_wait_told_in_the_body_is_told_to_the_client(string path)
    {
        site.Provider.EnqueueFor("limited", ScriptedAnswer.Error(429, retryAfter: TimeSpan.FromSeconds(30)));

        using var answer = await site.SendAsync(path, Ask(path, "gemini/limited"));

        Assert.Equal(429, (int)answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(30), answer.Headers.RetryAfter?.Delta);
    }

    [Fact]
    public async Task A_malformed_call_is_asked_for_once_more()
    {
        var malformed = ScriptedAnswer.Error(200, """{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","index":0}]}""");
        site.Provider.EnqueueFor("malformed", malformed, ScriptedAnswer.Text("better"), malformed, malformed);

        var (_, first) = await site.PostAsync(Chat, Ask(Chat, "gemini/malformed"));
        var (status, _) = await site.PostAsync(Chat, Ask(Chat, "gemini/malformed"));

        Assert.Equal("better", TextOf(Chat, JsonNode.Parse(first)!));
        Assert.Equal(502, status);
        Assert.Equal(4, site.Provider.RequestsFor("malformed").Count);
    }

    [Theory, MemberData(nameof(Dialects))]
    public async Task Garbage_is_a_bad_gateway_and_a_cut_stream_an_error(string path)
    {
        site.Provider.EnqueueFor("garbage", ScriptedAnswer.Garbage());
        site.Provider.EnqueueFor("cut", ScriptedAnswer.Text("one two three four").Cut(after: 2));
        site.Provider.EnqueueFor("unfinished", ScriptedAnswer.Text("one two").EndWithoutFinish());

        Assert.Equal(502, (await site.PostAsync(path, Ask(path, "faulty/garbage"))).Status);
        Assert.Contains("\"error\"", (await site.PostAsync(path, Ask(path, "faulty/cut", streams: true))).Body, StringComparison.Ordinal);
        Assert.Contains("upstream closed the stream",
            (await site.PostAsync(path, Ask(path, "faulty/unfinished", streams: true))).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_key_of_ours_is_not_the_clients_fault()
    {
        var (status, body) = await site.PostAsync(Chat, Ask(Chat, "locked/any"));

        Assert.Equal(502, status);
        Assert.Equal("upstream_authentication", (string?)JsonNode.Parse(body)!["error"]!["code"]);
    }

    [Fact]
    public async Task Texts_are_embedded_in_one_batch()
    {
        var (status, body) = await site.PostAsync(
            "/v1/embeddings", new() { ["model"] = "gemini/embed", ["input"] = new JsonArray("a", "bc"), ["dimensions"] = 4 });

        Assert.Equal(200, status);
        var second = JsonNode.Parse(body)!["data"]![1]!["embedding"]!.AsArray().Select(number => (float)number!);
        Assert.Equal(ScriptedDelivery.Vector("bc", 4), second);
        Assert.Equal("/v1beta/models/embed:batchEmbedContents", site.Provider.RequestsFor("embed").Single().Path);
    }

    [Fact]
    public async Task Tokens_cannot_be_embedded() => Assert.Equal(
        400, (await site.PostAsync("/v1/embeddings", new() { ["model"] = "gemini/tokens", ["input"] = new JsonArray(1, 2) })).Status);

    private static ScriptedAnswer Calls() => ScriptedAnswer.ToolCalls(
        new ScriptedCall("weather", """{"city":"Zürich"}"""), new ScriptedCall("weather", """{"city":"Oslo"}"""));

    private void AssertWentRound(string model)
    {
        var contents = site.Provider.RequestsFor(model)[^1].Json!["contents"]!.AsArray();
        var calls = contents[1]!["parts"]!.AsArray();
        var results = contents[2]!["parts"]!.AsArray();
        Assert.StartsWith("c2lnbmF0dXJl", (string?)calls[0]!["thoughtSignature"], StringComparison.Ordinal);
        Assert.Null(calls[1]!["thoughtSignature"]);
        Assert.Equal(["Zürich", "Oslo"], calls.Select(call => (string?)call!["functionCall"]!["args"]!["city"]));
        Assert.Equal(calls.Select(call => (string?)call!["functionCall"]!["id"]),
            results.Select(result => (string?)result!["functionResponse"]!["id"]));
        Assert.Equal(["weather", "weather"], results.Select(result => (string?)result!["functionResponse"]!["name"]));
    }

    private static JsonObject Ask(string path, string model, bool streams = false)
    {
        var body = new JsonObject
        {
            ["model"] = model,
            ["stream"] = streams,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello" }),
        };
        if (path == Messages)
        {
            body["max_tokens"] = 100;
        }
        return body;
    }

    private static JsonObject Show(string path, string model, string address)
    {
        var body = Ask(path, model);
        body["messages"]![0]!["content"] = new JsonArray(path == Chat
            ? new JsonObject { ["type"] = "image_url", ["image_url"] = new JsonObject { ["url"] = address } }
            : new JsonObject { ["type"] = "image", ["source"] = new JsonObject { ["type"] = "url", ["url"] = address } });
        return body;
    }

    private static string? TextOf(string path, JsonNode answer) =>
        (string?)(path == Chat ? answer["choices"]![0]!["message"]!["content"] : answer["content"]![0]!["text"]);

    private static string? StreamedText(string path, JsonNode step) =>
        (string?)(path == Chat ? step["choices"]?.AsArray().FirstOrDefault()?["delta"]?["content"] : step["delta"]?["text"]);

    private static IEnumerable<JsonNode> Events(string body) => body.Split('\n')
        .Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => JsonNode.Parse(line[6..])!);
}
