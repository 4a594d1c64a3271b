using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Limits;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway;

/// <summary>One host with an odd provider behind it, for all tests of a class.</summary>
public sealed class HostileSite : IAsyncLifetime
{
    private HostUnderTest host = null!;

    internal OddProvider Provider { get; private set; } = null!;

    internal HttpClient Client => host.Client;

    internal int InFlight => host.Services.GetRequiredService<InFlight>().Total;

    public async ValueTask InitializeAsync()
    {
        Provider = await OddProvider.StartAsync();
        host = await HostUnderTest.StartAsync(Provider.Settings);
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev");
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await Provider.DisposeAsync();
    }

    internal async Task<(HttpStatusCode Status, string Body)> PostAsync(
        string path, string json, params (string Name, string Value)[] headers)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        using var answer = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>The sums of a model, once so many calls are in them.</summary>
    internal async Task<JsonNode> UsageOfAsync(string model, long calls)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = JsonNode.Parse(
                await Client.GetStringAsync($"/api/stoa/usage?group_by=model&model={model}", TestContext.Current.CancellationToken))!;
            if (answer["items"]!.AsArray() is [{ } sum] && (long)sum["calls"]! >= calls)
            {
                return sum;
            }
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience.Long, $"The calls of {model} never got into the ledger.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    internal Task<(HttpStatusCode Status, string Body)> AskAsync(string path, string model, bool streams) => PostAsync(
        path,
        new JsonObject
        {
            ["model"] = model,
            ["max_tokens"] = 100,
            ["stream"] = streams,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello" }),
        }.ToJsonString());

    internal Task<(HttpStatusCode Status, string Body)> SampleAsync(string schema) => PostAsync(
        "/v1/chat/completions",
        new JsonObject
        {
            ["model"] = "demo/demo",
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "x" }),
            ["response_format"] = new JsonObject
            {
                ["type"] = "json_schema",
                ["json_schema"] = new JsonObject { ["name"] = "a", ["schema"] = JsonNode.Parse(schema) },
            },
        }.ToJsonString());
}
