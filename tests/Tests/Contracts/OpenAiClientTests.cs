using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Contracts;

public sealed class OpenAiRun() : ClientRun("openai.mjs", "openai", "anthropic");

/// <summary>The unmodified npm client <c>openai</c> is content with every wire we speak to it.</summary>
public sealed class OpenAiClientTests(OpenAiRun run) : IClassFixture<OpenAiRun>
{
    public static TheoryData<string> Everywhere => ["provider", "same", "other"];

    public static TheoryData<string> ThroughStoa => ["same", "other"];

    [Theory, MemberData(nameof(Everywhere))]
    public void A_completion_is_read_with_exact_usage(string target)
    {
        var result = run.Result(target, "text");
        Assert.Equal("You said: What is a harbour?", (string?)result["text"]);
        Assert.Null(result["refusal"]);
        Assert.Equal("stop", (string?)result["finish"]);
        Assert.Equal("chat.completion", (string?)result["object"]);
        Assert.StartsWith("chatcmpl-", (string?)result["id"], StringComparison.Ordinal);
        Assert.NotNull((string?)result["requestId"]);
        var upstream = run.Upstream(target, "text").Single();
        Assert.Equal(target == "other" ? "/v1/messages" : "/v1/chat/completions", upstream.Path);
        AssertReported(upstream, result["usage"]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_stream_arrives_in_pieces_and_ends_with_usage(string target)
    {
        var result = run.Result(target, "stream");
        Assert.Equal("You said: Count to three.", (string?)result["text"]);
        Assert.Equal("stop", (string?)result["finish"]);
        Assert.Equal(1, (int)result["ids"]!);
        Assert.Equal(0, (int)result["choicesOfUsageChunk"]!);
        Assert.Equal((int)result["chunks"]! - 1, (int)result["nullUsages"]!);
        Assert.InRange((int)result["chunks"]!, 5, 20);
        Assert.Null(result["error"]);
        AssertReported(run.Upstream(target, "stream").Single(), result["usage"]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_stream_that_did_not_ask_for_usage_shows_none(string target)
    {
        var result = run.Result(target, "stream_without_usage");
        Assert.Equal("You said: Count to four.", (string?)result["text"]);
        Assert.Null(result["usage"]);
        Assert.Equal(0, (int)result["nullUsages"]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_tool_is_called_and_its_result_comes_back(string target)
    {
        var result = run.Result(target, "tools");
        var call = Assert.Single(result["calls"]!.AsArray())!;
        Assert.Equal("get_weather", (string?)call["name"]);
        Assert.Equal("Zürich", (string?)JsonNode.Parse((string)call["arguments"]!)!["city"]);
        Assert.Equal("tool_calls", (string?)result["finish"]);
        Assert.Equal("""You said: {"celsius":21}""", (string?)result["text"]);
        Assert.Equal(2, run.Upstream(target, "tools").Count);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void Parallel_tool_calls_keep_their_ids_and_arguments_apart(string target)
    {
        var result = run.Result(target, "parallel_tools");
        var calls = result["calls"]!.AsArray();
        Assert.Equal(["Zürich", "Oslo"], calls.Select(call => (string?)JsonNode.Parse((string)call!["arguments"]!)!["city"]));
        Assert.Equal(2, calls.Select(call => (string?)call!["id"]).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal("tool_calls", (string?)result["finish"]);
        Assert.Equal($"You said: result of {calls[1]!["id"]}", (string?)result["text"]);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_demanded_schema_is_met_and_parsed(string target)
    {
        var result = run.Result(target, "schema");
        Assert.Equal(["city", "people", "coastal", "kind"], result["parsed"]!.AsObject().Select(property => property.Key));
        Assert.Equal("stop", (string?)result["finish"]);
    }

    [Fact]
    public void The_demo_provider_meets_the_schema_too() =>
        Assert.Contains((string?)run.Result("demo", "schema")["parsed"]!["kind"], (string[])["town", "city"]);

    [Fact]
    public void The_demo_provider_answers_and_streams_the_same_text()
    {
        Assert.NotEqual("", (string?)run.Result("demo", "text")["text"]);
        var unicode = run.Result("demo", "unicode");
        Assert.Equal((string?)unicode["whole"], (string?)unicode["streamed"]);
        Assert.Equal("stop", (string?)run.Result("demo", "stream")["finish"]);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void An_image_reaches_the_provider_unharmed(string target)
    {
        Assert.Equal("You said: What is this?", (string?)run.Result(target, "image")["text"]);
        var sent = run.Upstream(target, "image").Single().Json!.ToJsonString(ScriptedJson.Format);
        Assert.Contains("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", sent, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_wrong_key_is_the_clients_authentication_error(string target)
    {
        var error = run.Result(target, "wrong_key")["error"]!;
        Assert.Equal("AuthenticationError", (string?)error["name"]);
        Assert.Equal("invalid_api_key", (string?)error["code"]);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void An_unknown_model_is_the_clients_not_found_error(string target)
    {
        foreach (var scenario in (string[])["unknown_model", "missing_at_provider"])
        {
            var error = run.Result(target, scenario)["error"]!;
            Assert.Equal("NotFoundError", (string?)error["name"]);
            Assert.Equal("model_not_found", (string?)error["code"]);
        }
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_limit_is_waited_for_and_then_answered(string target)
    {
        Assert.Equal("You said: Try again.", (string?)run.Result(target, "retry")["text"]);
        ClientChecks.WaitedBetween(run.Upstream(target, "retry"), expected: 4);
        Assert.Equal(429, (int)run.Result(target, "retry")["statuses"]![0]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_long_wait_is_left_to_the_client(string target)
    {
        var error = run.Result(target, "retry_later")["error"]!;
        Assert.Equal("RateLimitError", (string?)error["name"]);
        Assert.Equal("30", (string?)error["retryAfter"]);
        Assert.Single(run.Upstream(target, "retry_later"));
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_stream_cut_in_the_middle_is_an_error_never_an_end(string target) =>
        ClientChecks.BrokeOff(run.Result(target, "cut"));

    [Theory, MemberData(nameof(ThroughStoa))]
    public void A_stream_that_ends_without_its_finish_is_an_error(string target) =>
        ClientChecks.BrokeOff(run.Result(target, "unfinished"));

    [Theory, MemberData(nameof(ThroughStoa))]
    public void An_answer_that_is_not_json_is_a_bad_gateway(string target) =>
        Assert.Equal(502, (int?)run.Result(target, "garbage")["error"]!["status"]);

    [Theory, MemberData(nameof(Everywhere))]
    public void Characters_split_over_packets_arrive_whole(string target) => ClientChecks.Unicode(run.Result(target, "unicode"));

    [Theory, MemberData(nameof(Everywhere))]
    public async Task A_client_that_leaves_cancels_the_provider_within_a_second(string target)
    {
        foreach (var scenario in (string[])["disconnect", "disconnect_while_waiting"])
        {
            await ClientChecks.CancelledAsync(run.Result(target, scenario), run.Upstream(target, scenario).Single());
        }
    }

    [Theory]
    [InlineData("provider")]
    [InlineData("same")]
    public void Embeddings_are_the_same_in_base64_and_in_numbers(string target)
    {
        var result = run.Result(target, "embeddings");
        var expected = ScriptedDelivery.Vector("and another one", 8);
        Assert.Equal(expected, result["floats"]![1]!.AsArray().Select(number => (float)number!));
        Assert.Equal(expected, result["standard"]![1]!.AsArray().Select(number => (float)number!));
        Assert.Equal(5, (int)result["usage"]!["prompt_tokens"]!);
    }

    [Fact]
    public void The_demo_provider_embeds_alike_in_base64_and_in_numbers()
    {
        var result = run.Result("demo", "embeddings");
        Assert.NotEmpty(result["floats"]![0]!.AsArray());
        Assert.Equal(
            result["floats"]![1]!.AsArray().Select(number => (float)number!),
            result["standard"]![1]!.AsArray().Select(number => (float)number!));
    }

    [Fact]
    public void Models_are_listed() => Assert.Contains("demo/demo", Ids("same"));

    private IEnumerable<string?> Ids(string target) => run.Result(target, "models")["ids"]!.AsArray().Select(id => (string?)id);

    private static void AssertReported(ScriptedRequest upstream, JsonNode usage)
    {
        var reported = upstream.Reported!;
        Assert.Equal(reported.Input, (long)usage["prompt_tokens"]!);
        Assert.Equal(reported.Output, (long)usage["completion_tokens"]!);
        Assert.Equal(reported.Input + reported.Output, (long)usage["total_tokens"]!);
        Assert.Equal(reported.CacheRead, (long)usage["prompt_tokens_details"]!["cached_tokens"]!);
    }
}
