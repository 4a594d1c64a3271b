using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Contracts;

public sealed class AnthropicRun() : ClientRun("anthropic.mjs", "anthropic", "openai");

/// <summary>The unmodified npm client <c>@anthropic-ai/sdk</c> is content with every wire we speak to it.</summary>
public sealed class AnthropicClientTests(AnthropicRun run) : VendorClientTests(run), IClassFixture<AnthropicRun>
{
    [Theory, MemberData(nameof(Everywhere))]
    public void A_message_is_read_with_exact_usage(string target)
    {
        var result = Run.Result(target, "text");
        Assert.Equal("You said: What is a harbour?", (string?)result["text"]);
        Assert.Equal("end_turn", (string?)result["stop"]);
        Assert.Equal("message", (string?)result["type"]);
        Assert.StartsWith("msg_", (string?)result["id"], StringComparison.Ordinal);
        Assert.NotNull((string?)result["requestId"]);
        var upstream = Run.Upstream(target, "text").Single();
        Assert.Equal(target switch { "other" => "/v1/chat/completions",
            "gemini" => "/v1beta/models/text-gemini:generateContent", _ => "/v1/messages" }, upstream.Path);
        AssertReported(upstream, result["usage"]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_stream_has_the_events_in_their_order_and_ends_with_usage(string target)
    {
        var result = Run.Result(target, "stream");
        Assert.Equal("You said: Count to three.", (string?)result["text"]);
        Assert.Equal("end_turn", (string?)result["stop"]);
        Assert.Equal(
            ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"],
            result["events"]!.AsArray().Select(name => (string?)name).Where(name => name != "ping"));
        Assert.Null(result["error"]);
        AssertReported(Run.Upstream(target, "stream").Single(), result["usage"]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_tool_is_called_and_its_result_comes_back(string target)
    {
        var result = Run.Result(target, "tools");
        var call = Assert.Single(result["calls"]!.AsArray())!;
        Assert.Equal("get_weather", (string?)call["name"]);
        Assert.Equal("Zürich", (string?)call["input"]!["city"]);
        Assert.Equal("tool_use", (string?)result["stop"]);
        Assert.Equal("""You said: {"celsius":21}""", (string?)result["text"]);
        Assert.Equal(2, Run.Upstream(target, "tools").Count);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void Parallel_tool_calls_keep_their_ids_and_arguments_apart(string target)
    {
        var result = Run.Result(target, "parallel_tools");
        var calls = result["calls"]!.AsArray();
        Assert.Equal(["Zürich", "Oslo"], calls.Select(call => (string?)call!["input"]!["city"]));
        Assert.Equal(2, calls.Select(call => (string?)call!["id"]).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal("tool_use", (string?)result["stop"]);
        Assert.Equal($"You said: result of {calls[1]!["id"]}", (string?)result["text"]);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_forced_tool_is_called(string target)
    {
        var result = Run.Result(target, "forced_tool");
        Assert.Equal("get_weather", (string?)Assert.Single(result["calls"]!.AsArray())!["name"]);
        Assert.Equal("tool_use", (string?)result["stop"]);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_demanded_schema_is_met_and_parsed(string target)
    {
        var result = Run.Result(target, "schema");
        Assert.Equal(["city", "people", "coastal", "kind"], result["parsed"]!.AsObject().Select(property => property.Key));
        Assert.Equal("end_turn", (string?)result["stop"]);
    }

    [Fact]
    public void The_demo_provider_answers_streams_the_same_text_and_counts()
    {
        Assert.NotEqual("", (string?)Run.Result("demo", "text")["text"]);
        var unicode = Run.Result("demo", "unicode");
        Assert.Equal((string?)unicode["whole"], (string?)unicode["streamed"]);
        Assert.Equal("end_turn", (string?)Run.Result("demo", "stream")["stop"]);
        Assert.InRange((int)Run.Result("demo", "count_tokens")["tokens"]!, 1, 100);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_wrong_key_is_the_clients_authentication_error(string target)
    {
        var error = Run.Result(target, "wrong_key")["error"]!;
        Assert.Equal("AuthenticationError", (string?)error["name"]);
        Assert.Equal("authentication_error", (string?)error["type"]);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void An_unknown_model_is_the_clients_not_found_error(string target)
    {
        foreach (var scenario in (string[])["unknown_model", "missing_at_provider"])
        {
            var error = Run.Result(target, scenario)["error"]!;
            Assert.Equal("NotFoundError", (string?)error["name"]);
            Assert.Equal("not_found_error", (string?)error["type"]);
        }
    }

    [Theory]
    [InlineData("provider")]
    [InlineData("same")]
    public void Tokens_are_counted_as_the_provider_counts(string target) =>
        Assert.Equal(7, (int)Run.Result(target, "count_tokens")["tokens"]!);

    [Fact]
    public void Tokens_are_estimated_where_the_provider_cannot_count() =>
        Assert.InRange((int)Run.Result("other", "count_tokens")["tokens"]!, 3, 50);

    [Fact]
    public void Models_are_listed() =>
        Assert.Contains("demo/demo", Run.Result("same", "models")["ids"]!.AsArray().Select(id => (string?)id));

    private static void AssertReported(ScriptedRequest upstream, JsonNode usage)
    {
        var reported = upstream.Reported!;
        Assert.Equal(reported.Input - reported.CacheRead - reported.CacheWrite, (long)usage["input_tokens"]!);
        Assert.Equal(reported.CacheRead, (long)usage["cache_read_input_tokens"]!);
        Assert.Equal(reported.Output, (long)usage["output_tokens"]!);
    }
}
