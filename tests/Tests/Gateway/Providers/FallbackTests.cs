using System.Net;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Providers;

/// <summary>A provider in trouble, and another that takes over: the client sees one clean answer, or one clean error.</summary>
public sealed class FallbackTests(FallbackSite site) : IClassFixture<FallbackSite>
{
    public static TheoryData<string, bool, string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool, string, string>();
            foreach (var trouble in FallbackSite.Troubles)
            {
                cases.Add(trouble, false, FallbackSite.Chat, "good/second");
                cases.Add(trouble, true, FallbackSite.Chat, "anth/second");
                cases.Add(trouble, true, FallbackSite.Messages, "good/second");
            }
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task Another_provider_answers_for_one_in_trouble(string trouble, bool streams, string path, string fallback)
    {
        site.Bad.EnqueueFor($"{trouble}-{streams}-{fallback}", FallbackSite.AnswerOf(trouble));

        var (answer, body) = await site.AskAsync(
            $"bad-{trouble}/{trouble}-{streams}-{fallback}", streams, path, headers: ("x-gtwy-fallback", fallback));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("You said: Hello there", TextOf(path, streams, body));
        Assert.DoesNotContain("error", body, StringComparison.Ordinal);
        Assert.Equal(fallback.Split('/')[0], Header(answer, "x-gtwy-service"));
        Assert.Equal("second", Header(answer, "x-gtwy-model"));
        Assert.Equal("2", Header(answer, "x-gtwy-attempts"));
    }

    [Fact]
    public async Task After_the_first_word_nobody_takes_over()
    {
        site.Bad.EnqueueFor("begun", ScriptedAnswer.Text("one two three four").Cut(after: 3));

        var (answer, body) = await site.AskAsync("bad-late/begun", streams: true, headers: ("x-gtwy-fallback", "good/unasked"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("one", body, StringComparison.Ordinal);
        Assert.Contains("upstream_connection", body, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", body, StringComparison.Ordinal);
        Assert.Empty(site.Good.RequestsFor("unasked"));
    }

    [Fact]
    public async Task When_all_fail_the_client_hears_of_the_last()
    {
        site.Bad.EnqueueFor("first", ScriptedAnswer.Error(500));
        site.Good.EnqueueFor("last", ScriptedAnswer.Error(429, retryAfter: TimeSpan.FromSeconds(20)));

        // Not at `good`: it would be left alone for those seconds by the alias that it shares.
        var (answer, body) = await site.AskAsync("bad-late/first", headers: ("x-gtwy-fallback", "anth/last"));

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal("20", Header(answer, "Retry-After"));
        Assert.Equal("rate_limit_exceeded", (string?)JsonNode.Parse(body)!["error"]!["code"]);
        Assert.Equal("2", Header(answer, "x-gtwy-attempts"));
    }

    [Fact]
    public async Task A_request_that_is_wrong_is_not_tried_elsewhere()
    {
        site.Bad.EnqueueFor("refused", ScriptedAnswer.Error(400));

        var (answer, _) = await site.AskAsync("bad-wrong/refused", headers: ("x-gtwy-fallback", "good/never"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(site.Good.RequestsFor("never"));
    }

    [Fact]
    public async Task A_substitute_that_cannot_do_what_is_asked_does_not_make_the_request_wrong()
    {
        site.Bad.EnqueueFor("down", ScriptedAnswer.Error(503));
        site.Good.EnqueueFor("unable", ScriptedAnswer.Error(400));

        var (answer, _) = await site.AskAsync("bad-wrong/down", headers: ("x-gtwy-fallback", "good/unable"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
    }

    [Theory]
    [InlineData("nobody/x", HttpStatusCode.NotFound)]
    [InlineData("anth/x", HttpStatusCode.Forbidden)]
    public async Task A_fallback_is_checked_before_anything_is_sent(string fallback, HttpStatusCode expected)
    {
        var key = await site.KeyAsync(providers: ["good"]);

        var (answer, _) = await site.AskAsync("good/checked", key: key, headers: ("x-gtwy-fallback", fallback));

        Assert.Equal(expected, answer.StatusCode);
        Assert.Empty(site.Good.RequestsFor("checked"));
    }

    [Fact]
    public async Task An_alias_goes_to_its_next_target_when_the_first_fails_and_then_leaves_that_one_alone()
    {
        site.Bad.EnqueueFor("first", ScriptedAnswer.Error(429, retryAfter: TimeSpan.FromMinutes(1)));

        var (first, body) = await site.AskAsync("sure");
        var (second, _) = await site.AskAsync("sure");

        Assert.Equal("You said: Hello there", TextOf(FallbackSite.Chat, false, body));
        Assert.Equal(("2", "second"), (Header(first, "x-gtwy-attempts"), Header(first, "x-gtwy-model")));
        Assert.Equal(("1", "second"), (Header(second, "x-gtwy-attempts"), Header(second, "x-gtwy-model")));
    }

    [Fact]
    public async Task Weights_share_the_calls_out_exactly()
    {
        for (var call = 0; call < 8; call++)
        {
            Assert.Equal(HttpStatusCode.OK, (await site.AskAsync("shared")).Answer.StatusCode);
        }

        Assert.Equal((6, 2), (site.Good.RequestsFor("one").Count, site.Good.RequestsFor("two").Count));
    }

    [Fact]
    public async Task An_alias_is_listed_and_open_to_who_may_use_all_its_targets()
    {
        var (listed, _) = await ListAsync("stoa-dev");
        Assert.Contains("sure", listed);
        Assert.DoesNotContain("sure", (await ListAsync(await site.KeyAsync(providers: ["good"]))).Names);

        var (answer, _) = await site.AskAsync("sure", key: await site.KeyAsync(providers: ["good"]));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    private async Task<(List<string> Names, JsonNode Body)> ListAsync(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models") { Headers = { Authorization = new("Bearer", key) } };
        using var answer = await site.Host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        return ([.. body["data"]!.AsArray().Select(model => (string)model!["id"]!)], body);
    }

    private static string Header(HttpResponseMessage answer, string name) => answer.Headers.GetValues(name).Single();

    private static string TextOf(string path, bool streams, string body)
    {
        if (!streams)
        {
            var answer = JsonNode.Parse(body)!;
            return (string)(path == FallbackSite.Chat ? answer["choices"]![0]!["message"]!["content"] : answer["content"]![0]!["text"])!;
        }
        var events = body.Split('\n').Where(line => line.StartsWith("data: {", StringComparison.Ordinal))
            .Select(line => JsonNode.Parse(line[6..])!);
        return string.Concat(events.Select(step => path == FallbackSite.Chat
            ? step["choices"] is JsonArray { Count: > 0 } choices ? (string?)choices[0]!["delta"]!["content"] : null
            : (string?)step["delta"]?["text"]));
    }
}
