using System.Net;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Providers;

/// <summary>
/// What clients say to the Gateway in headers: the provider, its key, how long they wait. And the keys that organizations keep here.
/// </summary>
public sealed class CallWishesTests(FallbackSite site) : IClassFixture<FallbackSite>
{
    [Fact]
    public async Task A_key_for_one_call_goes_to_the_provider_of_the_model_and_to_no_other()
    {
        var (answer, _) =
            await site.AskAsync("bad-sure/mine", headers: [("x-gtwy-provider-key", "sk-mine"), ("x-gtwy-fallback", "good/theirs")]);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("Bearer sk-mine", site.Bad.RequestsFor("mine").Single().Headers["Authorization"]);
        Assert.Equal($"Bearer {site.Good.Key}", site.Good.RequestsFor("theirs").Single().Headers["Authorization"]);
    }

    [Fact]
    public async Task A_service_stands_in_for_the_models_prefix()
    {
        var (answer, _) = await site.AskAsync("served", headers: ("x-gtwy-service", "good"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Single(site.Good.RequestsFor("served"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_may_wait_for_less_than_the_settings_say(bool streams)
    {
        site.Good.EnqueueFor($"slow-{streams}", ScriptedAnswer.Text("never").Delay(TimeSpan.FromSeconds(30)));

        var (answer, body) = await site.AskAsync($"good/slow-{streams}", streams, headers: ("x-gtwy-timeout-ms", "50"));

        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
        Assert.Equal("upstream_timeout", (string?)JsonNode.Parse(body)!["error"]!["code"]);
    }

    [Fact]
    public async Task Clients_without_patience_do_not_make_a_provider_rest_for_the_others()
    {
        site.Bad.EnqueueFor("hasty", [.. Enumerable.Repeat(ScriptedAnswer.Text("never").Delay(TimeSpan.FromSeconds(30)), 6)]);
        for (var call = 0; call < 6; call++)
        {
            Assert.Equal(HttpStatusCode.GatewayTimeout,
                (await site.AskAsync("bad-hasty/hasty", headers: ("x-gtwy-timeout-ms", "100"))).Answer.StatusCode);
        }

        Assert.Equal(HttpStatusCode.OK, (await site.AskAsync("bad-hasty/patient")).Answer.StatusCode);
    }

    [Theory]
    [InlineData("/v1/completions")]
    [InlineData("/v1/messages/count_tokens")]
    public async Task A_key_for_one_call_is_for_every_route(string path)
    {
        var provider = path == "/v1/completions" ? "bad-sure" : "anth";
        var scripted = provider == "anth" ? site.Good : site.Bad;

        await site.AskAsync($"{provider}/own-key", path: path, headers: ("x-gtwy-provider-key", "sk-mine"));

        var sent = scripted.Requests.Last(request => request.Path == path);
        Assert.Equal(provider == "anth" ? "sk-mine" : "Bearer sk-mine", sent.Headers[provider == "anth" ? "x-api-key" : "Authorization"]);
    }

    [Theory]
    [InlineData("x-gtwy-timeout-ms", "0")]
    [InlineData("x-gtwy-timeout-ms", "600001")]
    [InlineData("x-gtwy-timeout-ms", "soon")]
    [InlineData("x-gtwy-metadata", "no json")]
    [InlineData("x-gtwy-metadata", "[]")]
    public async Task A_header_that_cannot_be_heeded_is_refused(string name, string value)
    {
        var (answer, body) = await site.AskAsync("good/unsent", headers: (name, value));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(name, (string?)JsonNode.Parse(body)!["error"]!["param"]);
        Assert.Empty(site.Good.RequestsFor("unsent"));
    }

    [Fact]
    public async Task A_provider_without_a_key_in_the_settings_gets_the_organizations_own()
    {
        var (before, _) = await site.AskAsync("keyless/m");
        await site.StoreKeyAsync("groq", site.Good.Key);
        var (after, _) = await site.AskAsync("keyless/m");

        Assert.Equal(HttpStatusCode.BadGateway, before.StatusCode);
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.Equal($"Bearer {site.Good.Key}", site.Good.RequestsFor("m")[^1].Headers["Authorization"]);
    }

    [Fact]
    public async Task A_public_provider_that_the_settings_do_not_name_is_there_for_who_has_a_key_only()
    {
        var (answer, body) = await site.AskAsync("deepseek/deepseek-chat");
        var (kept, _) = await site.AskAsync("openai/gpt-4o", headers: ("x-gtwy-provider-key", "sk-mine"));
        var (local, _) = await site.AskAsync("ollama/llama", headers: ("x-gtwy-provider-key", "x"));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("model_not_found", (string?)JsonNode.Parse(body)!["error"]!["code"]);
        Assert.Equal(HttpStatusCode.NotFound, kept.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, local.StatusCode);
    }
}
