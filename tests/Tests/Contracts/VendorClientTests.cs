using Stoa.Tests.Support;

namespace Stoa.Tests.Contracts;

/// <summary>
/// What every vendor's client must find, whatever it calls things: at the provider itself, and through Stoa to the same dialect and the
/// other.
/// </summary>
public abstract class VendorClientTests(ClientRun run)
{
    public static TheoryData<string> Everywhere => ["provider", "same", "other", "gemini"];

    public static TheoryData<string> ThroughStoa => ["same", "other", "gemini"];

    protected ClientRun Run => run;

    /// <summary>What the client throws at a limit.</summary>
    protected virtual string RateLimitName => "RateLimitError";

    /// <summary>Whether the client reads the provider's words about a limit as those of a quota, for which it does not wait.</summary>
    protected virtual bool TakesForUsedUp(string target) => false;

    [Fact]
    public void The_demo_provider_meets_the_schema_too() =>
        Assert.Contains((string?)run.Result("demo", "schema")["parsed"]!["kind"], (string[])["town", "city"]);

    [Theory, MemberData(nameof(Everywhere))]
    public void An_image_reaches_the_provider_unharmed(string target)
    {
        Assert.Equal("You said: What is this?", (string?)run.Result(target, "image")["text"]);
        var sent = run.Upstream(target, "image").Single().Json!.ToJsonString(ScriptedJson.Format);
        Assert.Contains("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ", sent, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_limit_is_waited_for_and_then_answered(string target)
    {
        if (TakesForUsedUp(target))
        {
            Assert.Equal(429, (int?)run.Result(target, "retry")["error"]!["status"]);
            return;
        }
        Assert.Equal("You said: Try again.", (string?)run.Result(target, "retry")["text"]);
        ClientChecks.WaitedBetween(run.Upstream(target, "retry"), expected: 4);
        Assert.Equal(429, (int)run.Result(target, "retry")["statuses"]![0]!);
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_long_wait_is_left_to_the_client(string target)
    {
        var error = run.Result(target, "retry_later")["error"]!;
        Assert.Equal(RateLimitName, (string?)error["name"]);
        Assert.Equal("30", (string?)error["retryAfter"]);
        Assert.Single(run.Upstream(target, "retry_later"));
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_stream_cut_in_the_middle_is_an_error_never_an_end(string target)
    {
        // Whose connection is reset may lose what he has not read yet; an error in the stream comes after it.
        if (target == "provider")
        {
            Assert.NotNull(run.Result(target, "cut")["error"]);
            return;
        }
        ClientChecks.BrokeOff(run.Result(target, "cut"));
    }

    [Theory, MemberData(nameof(ThroughStoa))]
    public void A_stream_that_ends_without_its_finish_is_an_error(string target) =>
        ClientChecks.BrokeOff(run.Result(target, "unfinished"));

    [Theory, MemberData(nameof(ThroughStoa))]
    public void An_answer_that_is_not_json_is_a_bad_gateway(string target) =>
        Assert.Equal(502, (int?)run.Result(target, "garbage")["error"]!["status"]);

    [Theory, MemberData(nameof(Everywhere))]
    public void Characters_split_over_packets_arrive_whole(string target) => ClientChecks.Unicode(run.Result(target, "unicode"));

    [Theory, MemberData(nameof(Everywhere))]
    public async Task A_client_that_leaves_cancels_the_provider(string target)
    {
        foreach (var scenario in (string[])["disconnect", "disconnect_while_waiting"])
        {
            await ClientChecks.CancelledAsync(run.Result(target, scenario), run.Upstream(target, scenario).Single());
        }
    }

    [Theory, MemberData(nameof(Everywhere))]
    public void A_megabyte_goes_through_in_both_directions(string target) => Assert.True((bool)run.Result(target, "large")["isWhole"]!);
}
