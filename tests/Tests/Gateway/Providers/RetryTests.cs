using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Providers;

/// <summary>Repeats at one provider and the way to the next, together.</summary>
public sealed class RetryTests
{
    [Fact]
    public async Task Each_target_is_asked_three_times_and_all_together_six()
    {
        await using var provider = await ScriptedProvider.StartAsync();
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var name in (string[])["a", "b", "c"])
        {
            settings[$"Gateway:Providers:{name}:Kind"] = "openai";
            settings[$"Gateway:Providers:{name}:BaseUrl"] = new Uri(provider.BaseAddress, "/v1").ToString();
            settings[$"Gateway:Providers:{name}:ApiKey"] = provider.Key;
            provider.EnqueueFor($"m-{name}", [.. Enumerable.Repeat(ScriptedAnswer.Error(503, retryAfter: TimeSpan.Zero), 4)]);
        }
        await using var host = await HostUnderTest.StartAsync(settings);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(
                new JsonObject { ["model"] = "a/m-a",
                    ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "x" }) }.ToJsonString(),
                Encoding.UTF8, "application/json"),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev") },
        };
        request.Headers.Add("x-gtwy-fallback", "b/m-b, c/m-c");

        using var answer = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("6", answer.Headers.GetValues("x-gtwy-attempts").Single());
        Assert.Equal((3, 3, 0), (provider.RequestsFor("m-a").Count, provider.RequestsFor("m-b").Count, provider.RequestsFor("m-c").Count));
    }
}
