using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Contracts;

public sealed class OpenAiRun() : ClientRun("openai.mjs", "openai", "anthropic");

/// <summary>The unmodified npm client <c>openai</c> is content with every wire we speak to it.</summary>
public sealed class OpenAiClientTests(OpenAiRun run) : VendorClientTests(run), IClassFixture<OpenAiRun>
{
    [Theory, MemberData(nameof(Everywhere))]
    public void A_completion_is_read_with_exact_usage(string target)
    {
        var result = Run.Result(target, "text");
        Assert.Equal("You said: What is a harbour?", (string?)result["text"]);
        Assert.Null(result["refusal"]);
        Assert.Equal("stop", (string?)result["finish"]);
        Assert.Equal("chat.completion", (string?)result["object"]);
        Assert.StartsWith("chatcmpl-", (string?)result["id"], StringComparison.Ordinal);
        Assert.NotNull((string?)result["requestId"]);
        var upstream = Run.Upstream(target, "text").Single();
        Assert.Equal(target switch { "other" => "/v1/messages",
            "gemini" => "/v1beta/models/text-gemini:generateContent", _ => "/v1/chat/completions" }, upstream.Path);
        AssertReported(upstream, result["usage"]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_stream_arrives_in_pieces_and_ends_with_usage(string target)
    {
        var result = Run.Result(target, "stream");
        Assert.Equal("You said: Count to three.", (string?)result["text"]);
        Assert.Equal("stop", (string?)result["finish"]);
        Assert.Equal(1, (int)result["ids"]!);
        Assert.Equal(0, (int)result["choicesOfUsageChunk"]!);
        Assert.Equal((int)result["chunks"]! - 1, (int)result["nullUsages"]!);
        Assert.InRange((int)result["chunks"]!, 5, 20);
        Assert.Null(result["error"]);
        AssertReported(Run.Upstream(target, "stream").Single(), result["usage"]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_stream_that_did_not_ask_for_usage_shows_none(string target)
    {
        var result = Run.Result(target, "stream_without_usage");
        Assert.Equal("You said: Count to four.", (string?)result["text"]);
        Assert.Null(result["usage"]);
        Assert.Equal(0, (int)result["nullUsages"]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_tool_is_called_and_its_result_comes_back(string target)
    {
        var result = Run.Result(target, "tools");
        var call = Assert.Single(result["calls"]!.AsArray())!;
        Assert.Equal("get_weather", (string?)call["name"]);
        Assert.Equal("Zürich", (string?)JsonNode.Parse((string)call["arguments"]!)!["city"]);
        Assert.Equal("tool_calls", (string?)result["finish"]);
        Assert.Equal("""You said: {"celsius":21}""", (string?)result["text"]);
        Assert.Equal(2, Run.Upstream(target, "tools").Count);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void Parallel_tool_calls_keep_their_ids_and_arguments_apart(string target)
    {
        var result = Run.Result(target, "parallel_tools");
        var calls = result["calls"]!.AsArray();
        Assert.Equal(["Zürich", "Oslo"], calls.Select(call => (string?)JsonNode.Parse((string)call!["arguments"]!)!["city"]));
        Assert.Equal(2, calls.Select(call => (string?)call!["id"]).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal("tool_calls", (string?)result["finish"]);
        Assert.Equal($"You said: result of {calls[1]!["id"]}", (string?)result["text"]);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_demanded_schema_is_met_and_parsed(string target)
    {
        var result = Run.Result(target, "schema");
        Assert.Equal(["city", "people", "coastal", "kind"], result["parsed"]!.AsObject().Select(property => property.Key));
        Assert.Equal("stop", (string?)result["finish"]);
    }

    [Fact]
    public void The_demo_provider_answers_and_streams_the_same_text()
    {
        Assert.NotEqual("", (string?)Run.Result("demo", "text")["text"]);
        var unicode = Run.Result("demo", "unicode");
        Assert.Equal((string?)unicode["whole"], (string?)unicode["streamed"]);
        Assert.Equal("stop", (string?)Run.Result("demo", "stream")["finish"]);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_wrong_key_is_the_clients_authentication_error(string target)
    {
        var error = Run.Result(target, "wrong_key")["error"]!;
        Assert.Equal("AuthenticationError", (string?)error["name"]);
        Assert.Equal("invalid_api_key", (string?)error["code"]);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void An_unknown_model_is_the_clients_not_found_error(string target)
    {
        foreach (var scenario in (string[])["unknown_model", "missing_at_provider"])
        {
            var error = Run.Result(target, scenario)["error"]!;
            Assert.Equal("NotFoundError", (string?)error["name"]);
            Assert.Equal("model_not_found", (string?)error["code"]);
        }
    }

    [Theory]
    [InlineData("provider")]
    [InlineData("same")]
    [InlineData("gemini")]
    public void Embeddings_are_the_same_in_base64_and_in_numbers(string target)
    {
        var result = Run.Result(target, "embeddings");
        var expected = ScriptedDelivery.Vector("and another one", 8);
        Assert.Equal(expected, result["floats"]![1]!.AsArray().Select(number => (float)number!));
        Assert.Equal(expected, result["standard"]![1]!.AsArray().Select(number => (float)number!));
        if (target != "gemini")
        {
            // Gemini tells no usage of embeddings, so the figure is our estimate.
            Assert.Equal(5, (int)result["usage"]!["prompt_tokens"]!);
        }
    }

    [Fact]
    public void The_demo_provider_embeds_alike_in_base64_and_in_numbers()
    {
        var result = Run.Result("demo", "embeddings");
        Assert.NotEmpty(result["floats"]![0]!.AsArray());
        Assert.Equal(
            result["floats"]![1]!.AsArray().Select(number => (float)number!),
            result["standard"]![1]!.AsArray().Select(number => (float)number!));
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_response_is_read_with_exact_usage(string target)
    {
        var result = Run.Result(target, "response");
        Assert.Equal("You said: What is a quay?", (string?)result["text"]);
        Assert.Equal(("completed", "response"), ((string?)result["status"], (string?)result["object"]));
        Assert.StartsWith("resp_", (string?)result["id"], StringComparison.Ordinal);
        Assert.NotNull((string?)result["requestId"]);
        var upstream = Run.Upstream(target, "response").Single();
        Assert.Equal(target switch { "other" => "/v1/messages",
            "gemini" => "/v1beta/models/response-gemini:generateContent", _ => "/v1/responses" }, upstream.Path);
        Assert.Equal(upstream.Reported!.Input, (long)result["usage"]!["input_tokens"]!);
        Assert.Equal(upstream.Reported!.Output, (long)result["usage"]!["output_tokens"]!);
        Assert.Equal(upstream.Reported!.CacheRead, (long)result["usage"]!["input_tokens_details"]!["cached_tokens"]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_stream_of_a_response_is_accumulated_by_the_client(string target)
    {
        var result = Run.Result(target, "response_stream");
        Assert.Equal($"You said: {(string?)result["expected"]}", (string?)result["text"]);
        Assert.True((bool)result["inOrder"]!);
        var types = result["types"]!.AsArray().Select(type => (string)type!).ToList();
        Assert.Equal(
            ["response.created", "response.in_progress", "response.output_item.added",
                "response.content_part.added", "response.output_text.delta", "response.output_text.done"],
            types.Take(6));
        Assert.Equal("response.completed", types[^1]);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void Calls_of_a_response_come_in_fragments_and_go_back_with_their_results(string target)
    {
        var result = Run.Result(target, "response_tools");
        var calls = result["calls"]!.AsArray();
        Assert.Equal(["Zürich", "Oslo"], calls.Select(call => (string?)JsonNode.Parse((string)call!["arguments"]!)!["city"]));
        Assert.Equal($"You said: result of {calls[1]!["id"]}", (string?)result["text"]);
    }

    [Theory, MemberData(nameof(ThroughStoa))]
    public void A_response_is_kept_gone_on_from_and_deleted(string target)
    {
        var result = Run.Result(target, "response_state");
        Assert.Equal("You said: Two.", (string?)result["text"]);
        Assert.Equal(["message", "message", "message"], result["inputs"]!.AsArray().Select(type => (string?)type));
        Assert.Equal("NotFoundError", (string?)result["gone"]!["error"]!["name"]);
        var background = Run.Result(target, "response_background");
        Assert.Equal(("queued", "completed", "You said: Later."),
            ((string?)background["queued"], (string?)background["status"], (string?)background["text"]));
    }

    [Theory]
    [InlineData("same")]
    [InlineData("other")]
    [InlineData("gemini")]
    public void A_batch_is_uploaded_run_and_read(string target)
    {
        var result = Run.Result(target, "batch");
        Assert.Equal("completed", (string?)result["status"]);
        Assert.Equal(2, (int)result["counts"]!["completed"]!);
        Assert.Equal(["You said: one", "You said: two"], result["texts"]!.AsArray().Select(text => (string?)text));
        Assert.True((bool)result["isListed"]!);
        Assert.True((bool)result["deleted"]!);
    }

    [Fact]
    public void Models_are_listed() =>
        Assert.Contains("demo/demo", Run.Result("same", "models")["ids"]!.AsArray().Select(id => (string?)id));

    private static void AssertReported(ScriptedRequest upstream, JsonNode usage)
    {
        var reported = upstream.Reported!;
        Assert.Equal(reported.Input, (long)usage["prompt_tokens"]!);
        Assert.Equal(reported.Output, (long)usage["completion_tokens"]!);
        Assert.Equal(reported.Input + reported.Output, (long)usage["total_tokens"]!);
        Assert.Equal(reported.CacheRead, (long)usage["prompt_tokens_details"]!["cached_tokens"]!);
    }
}
