using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway;

/// <summary>A host with one provider of each dialect, both scripted, for one test class.</summary>
public sealed class GatewaySite : IAsyncLifetime
{
    public ScriptedProvider OpenAi { get; private set; } = null!;

    public ScriptedProvider Anthropic { get; private set; } = null!;

    public HostUnderTest Host { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        OpenAi = await ScriptedProvider.StartAsync();
        Anthropic = await ScriptedProvider.StartAsync();
        Host = await HostUnderTest.StartAsync(new()
        {
            ["Gateway:Providers:openai:Kind"] = "openai",
            ["Gateway:Providers:openai:BaseUrl"] = new Uri(OpenAi.BaseAddress, "/v1").ToString(),
            ["Gateway:Providers:openai:ApiKey"] = OpenAi.Key,
            ["Gateway:Providers:openai:Models:0"] = "listed",
            ["Gateway:Providers:openai:Models:1"] = "gpt-4o",
            ["Gateway:Providers:anthropic:Kind"] = "anthropic",
            ["Gateway:Providers:anthropic:BaseUrl"] = Anthropic.BaseAddress.ToString(),
            ["Gateway:Providers:anthropic:ApiKey"] = Anthropic.Key,
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await OpenAi.DisposeAsync();
        await Anthropic.DisposeAsync();
    }

    /// <summary>A new key of the organization <c>default</c>, known to the host.</summary>
    internal async Task<string> KeyAsync(
        IReadOnlyList<string>? models = null, IReadOnlyList<string>? providers = null,
        int? requests = null, int? tokens = null, bool admin = false)
    {
        var made = await Host.Services.GetRequiredService<KeyStore>().CreateAsync(
            Organization.DefaultId, new KeyTerms("test", admin, models, providers, requests, tokens, null),
            "test", TestContext.Current.CancellationToken);
        return made.Token;
    }

    public async Task<HttpResponseMessage> PostAsync(string path, string body, string key = "stoa-dev")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
        };
        return await Host.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async Task<JsonNode> GetAsync(string path, string key = "stoa-dev")
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };
        using var answer = await Host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>The record of a call, once the loader has brought it.</summary>
    public async Task<JsonNode> RecordAsync(HttpResponseMessage answer)
    {
        var id = answer.Headers.GetValues("x-request-id").Single();
        while (true)
        {
            var found = await GetAsync($"/api/stoa/usage/calls?request_id={id}");
            if (found["items"]!.AsArray() is [{ } record])
            {
                return record;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
