using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Providers;

/// <summary>Fallbacks of the Responses API and of the count of tokens.</summary>
public sealed class ResponsesFallbackTests(FallbackSite site) : IClassFixture<FallbackSite>
{
    public static TheoryData<string, bool, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool, string>();
            foreach (var trouble in FallbackSite.Troubles)
            {
                cases.Add(trouble, false, "good/second");
                cases.Add(trouble, true, "anth/second");
            }
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task Another_provider_makes_the_response_of_one_in_trouble(string trouble, bool streams, string fallback)
    {
        var model = $"{trouble}-{streams}-response";
        site.Bad.EnqueueFor(model, FallbackSite.AnswerOf(trouble));

        var (answer, body) = await PostAsync(
            "/v1/responses", new() { ["model"] = $"bad-{trouble}/{model}", ["input"] = "Hello there", ["stream"] = streams }, fallback);

        Assert.True(answer.StatusCode == HttpStatusCode.OK, body);
        Assert.Contains("You said: Hello there", body, StringComparison.Ordinal);
        Assert.Equal((fallback.Split('/')[0], "2"), (Header(answer, "x-gtwy-service"), Header(answer, "x-gtwy-attempts")));
        if (!streams)
        {
            // It is kept as what it is: whoever goes on from it says all of it to the provider that is asked then.
            var (next, text) = await PostAsync(
                "/v1/responses", new() { ["model"] = "good/next", ["input"] = "And now?",
                    ["previous_response_id"] = (string)JsonNode.Parse(body)!["id"]! }, fallback: null);
            Assert.Equal(HttpStatusCode.OK, next.StatusCode);
            Assert.Contains("You said: And now?", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task When_nobody_makes_a_response_the_client_gets_one_error()
    {
        site.Bad.EnqueueFor("no-response", ScriptedAnswer.Error(500));
        site.Good.EnqueueFor("none-either", ScriptedAnswer.Error(429, retryAfter: TimeSpan.FromSeconds(20)));

        var (answer, body) =
            await PostAsync("/v1/responses", new() { ["model"] = "bad-late/no-response", ["input"] = "Hi" }, "good/none-either");

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal("rate_limit_exceeded", (string?)JsonNode.Parse(body)!["error"]!["code"]);
    }

    [Fact]
    public async Task A_response_in_the_background_goes_to_the_next_target_as_any_other()
    {
        site.Bad.EnqueueFor("background-response", ScriptedAnswer.Error(500));
        site.Bad.EnqueueFor("first", ScriptedAnswer.Error(500));

        var named = await MadeAsync("bad-hasty/background-response", ("x-gtwy-fallback", "good/second"));
        var alias = await MadeAsync("sure");
        var (unknown, _) = await PostAsync("/v1/responses", Background("good/first"), "nowhere/none");

        Assert.Equal(("completed", "completed"), ((string?)named["status"], (string?)alias["status"]));
        Assert.Contains("You said: Hello there", named.ToJsonString(), StringComparison.Ordinal);
        // What cannot be heeded is refused when it is asked for, not when it is made.
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task A_response_in_the_background_is_made_with_the_clients_own_key_which_is_sealed_until_then()
    {
        var queued = await BackgroundAsync("keyless/any", ("x-gtwy-provider-key", site.Good.Key));
        var source = site.Host.Services.GetRequiredService<Npgsql.NpgsqlDataSource>();

        await site.Host.RunJobsAsync();

        var made = await ReadAsync(queued);
        Assert.Equal("completed", (string?)made["status"]);
        await using var left =
            source.CreateCommand("select count(*) from gateway.responses where id = $1 and (wishes is not null or request is not null)");
        left.Parameters.Add(new() { Value = (string)queued["id"]! });
        Assert.Equal(0L, await left.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("anth/counts", 2, false)]
    [InlineData("good/estimates", 0, true)]
    public async Task Tokens_are_counted_by_the_next_when_the_first_cannot(string fallback, int expected, bool isEstimated)
    {
        var model = new JsonObject
        {
            ["model"] = "lost/gone", ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello there" }),
        };

        var (answer, body) = await PostAsync("/v1/messages/count_tokens", model, fallback);

        Assert.True(answer.StatusCode == HttpStatusCode.OK, body);
        Assert.Equal(isEstimated, answer.Headers.Contains("x-gtwy-estimated"));
        var tokens = (int)JsonNode.Parse(body)!["input_tokens"]!;
        Assert.True(isEstimated ? tokens > 0 : tokens == expected, body);
    }

    private async Task<JsonNode> MadeAsync(string model, params (string Name, string Value)[] headers)
    {
        var queued = await BackgroundAsync(model, headers);
        await site.Host.RunJobsAsync();
        return await ReadAsync(queued);
    }

    private async Task<JsonNode> BackgroundAsync(string model, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/responses")
        {
            Content = new StringContent(Background(model).ToJsonString(), Encoding.UTF8, "application/json"),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev") },
        };
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }
        using var answer = await site.Host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private async Task<JsonNode> ReadAsync(JsonNode response)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/responses/{response["id"]}")
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev") },
        };
        using var answer = await site.Host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
    }

    private static JsonObject Background(string model) => new() { ["model"] = model, ["input"] = "Hello there", ["background"] = true };

    private async Task<(HttpResponseMessage Answer, string Body)> PostAsync(string path, JsonObject body, string? fallback)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev") },
        };
        if (fallback is not null)
        {
            request.Headers.Add("x-gtwy-fallback", fallback);
        }
        var answer = await site.Host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static string Header(HttpResponseMessage answer, string name) => answer.Headers.GetValues(name).Single();
}
