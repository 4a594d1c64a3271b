using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Contracts;

/// <summary>What the users of a framework find, which stands between them and a vendor's wire and reads every byte of it itself.</summary>
public abstract class FrameworkClientTests(ClientRun run) : VendorClientTests(run)
{
    /// <summary>How it calls an answer that ended by itself.</summary>
    protected abstract string Stop { get; }

    /// <summary>Whether it adds the figures at a stream's beginning to those at its end, although these are the whole.</summary>
    protected virtual bool AddsUpStreams => false;

    [Theory, MemberData(nameof(Everywhere))]
    public void An_answer_is_read_with_exact_usage(string target)
    {
        var result = Run.Result(target, "text");
        Assert.Equal(("You said: What is a harbour?", Stop), ((string?)result["text"], (string?)result["finish"]));
        AssertReported(Run.Upstream(target, "text").Single(), result["usage"]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_stream_arrives_in_pieces_and_ends_with_usage(string target)
    {
        var result = Run.Result(target, "stream");
        Assert.Equal(("You said: Count to three.", Stop), ((string?)result["text"], (string?)result["finish"]));
        Assert.True((int)result["pieces"]! > 1);
        Assert.Null(result["error"]);
        if (AddsUpStreams)
        {
            Assert.True((long)result["usage"]!["output"]! > 0);
            return;
        }
        AssertReported(Run.Upstream(target, "stream").Single(), result["usage"]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void The_frameworks_own_loop_calls_a_tool_and_gets_its_answer(string target)
    {
        var result = Run.Result(target, "tools");
        Assert.Equal(("get_weather", "Zürich"), Called(Assert.Single(result["calls"]!.AsArray())!));
        Assert.Equal("""You said: {"celsius":21}""", (string?)result["text"]);
        Assert.Equal(2, Run.Upstream(target, "tools").Count);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void Parallel_calls_whose_arguments_come_in_fragments_keep_their_ids_apart(string target)
    {
        var result = Run.Result(target, "parallel_tools");
        var calls = result["calls"]!.AsArray();
        Assert.Equal([("get_weather", "Zürich"), ("get_weather", "Oslo")], calls.Select(call => Called(call!)));
        Assert.Equal(2, calls.Select(call => (string?)call!["id"]).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal($"You said: result of {calls[1]!["id"]}", (string?)result["text"]);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_demanded_schema_is_met_and_parsed(string target) =>
        Assert.Equal(
            ["city", "people", "coastal", "kind"], Run.Result(target, "schema")["parsed"]!.AsObject().Select(property => property.Key));

    [Theory, MemberData(nameof(Everywhere))]
    public void A_wrong_key_is_told_as_401_and_an_unknown_model_as_404(string target)
    {
        Assert.Equal(401, (int?)Run.Result(target, "wrong_key")["error"]!["status"]);
        Assert.Equal(404, (int?)Run.Result(target, "unknown_model")["error"]!["status"]);
        Assert.Equal(404, (int?)Run.Result(target, "missing_at_provider")["error"]!["status"]);
    }

    protected static void AssertReported(ScriptedRequest upstream, JsonNode usage) => Assert.Equal(
        (upstream.Reported!.Input, upstream.Reported.Output), ((long)usage["input"]!, (long)usage["output"]!));

    private static (string?, string?) Called(JsonNode call) => ((string?)call["name"], (string?)call["input"]!["city"]);
}
