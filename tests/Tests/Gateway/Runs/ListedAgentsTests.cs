using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>Agents among the models of <c>/v1</c>.</summary>
public sealed class ListedAgentsTests(RunSite site) : IClassFixture<RunSite>
{
    private const string Document = """{"service":"openai","configuration":{"model":"gpt-4o"}}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Published_agents_of_the_keys_organization_are_models_in_either_vendors_form()
    {
        var keys = site.Host.Services.GetRequiredService<KeyStore>();
        var other = (await keys.EnsureOrganizationAsync("elsewhere", "test", Ct)).Id;
        var (own, foreign) = (await site.AgentAsync(Document), await site.AgentAsync(Document, organization: other));
        var paused = await site.AgentAsync(Document);
        await site.ExecuteAsync("update gateway.agents set is_paused = true where id = $1", paused);
        await UntilListedAsync(names => names.Contains($"agent:{own}") && !names.Contains($"agent:{paused}"));

        var (_, listed) = await GetAsync("/v1/models");
        var (_, vendor) = await GetAsync("/v1/models", ("anthropic-version", "2023-06-01"));
        var (_, one) = await GetAsync($"/v1/models/agent:{own}");
        var (strange, _) = await GetAsync($"/v1/models/agent:{foreign}");

        var entry = listed["data"]!.AsArray().Single(model => (string?)model!["id"] == $"agent:{own}")!;
        Assert.Equal(("model", "stoa"), ((string?)entry["object"], (string?)entry["owned_by"]));
        Assert.DoesNotContain(listed["data"]!.AsArray(), model => (string?)model!["id"] == $"agent:{foreign}");
        Assert.Contains(vendor["data"]!.AsArray(), model => (string?)model!["id"] == $"agent:{own}" && (string?)model["type"] == "model");
        Assert.Equal($"agent:{own}", (string?)one["id"]);
        Assert.Equal(HttpStatusCode.NotFound, strange);
    }

    [Fact]
    public async Task A_key_for_other_models_neither_sees_nor_runs_an_agent()
    {
        var agent = await site.AgentAsync(Document);
        var made = await site.Host.Services.GetRequiredService<KeyStore>().CreateAsync(
            Organization.DefaultId, new KeyTerms("narrow", false, ["anthropic/claude"], null, null, null, null), "test", Ct);
        await UntilListedAsync(names => names.Contains($"agent:{agent}"));

        var (_, listed) = await GetAsync("/v1/models", ("Authorization", $"Bearer {made.Token}"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(
                $$"""{"model":"agent:{{agent}}","messages":[{"role":"user","content":"Hi"}]}""", Encoding.UTF8, "application/json"),
            Headers = { { "Authorization", $"Bearer {made.Token}" } },
        };
        using var run = await site.Host.Client.SendAsync(request, Ct);

        Assert.DoesNotContain(listed["data"]!.AsArray(), model => ((string)model!["id"]!).StartsWith("agent:", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Forbidden, run.StatusCode);
    }

    [Theory]
    [InlineData("/v1/responses", "agent:", false)]
    [InlineData("/v1/responses", "agent:", true)]
    [InlineData("/api/v2/model/openai/responses", "", false)]
    [InlineData("/api/v2/model/openai/responses", "", true)]
    public async Task An_agent_answers_in_the_words_of_the_responses_api_and_goes_on_from_its_answer(
        string path, string prefix, bool streams)
    {
        var agent = await site.AgentAsync(
            """{"service":"openai","configuration":{"model":"gpt-4o","prompt":"Say it.","response_type":{"type":"text"} } }""");

        var first = await ResponseAsync(
            path, $$"""{"model":"{{prefix}}{{agent}}","input":"My name is Ada","stream":{{(streams ? "true" : "false")}}}""");
        var (_, kept) = await GetAsync($"/v1/responses/{first["id"]}");
        var second = await ResponseAsync(
            path, $$"""{"model":"{{prefix}}{{agent}}","input":"What is it?","previous_response_id":"{{first["id"]}}"}""");

        Assert.Equal(("completed", "You said: My name is Ada"), ((string?)first["status"], TextOf(first)));
        Assert.Equal(TextOf(first), TextOf(kept));
        Assert.Equal("You said: What is it?", TextOf(second));
        var asked = site.OpenAi.RequestsFor("gpt-4o")[^1].Json!.ToJsonString();
        Assert.Contains("My name is Ada", asked, StringComparison.Ordinal);
        Assert.Contains("Say it.", asked, StringComparison.Ordinal);
        Assert.Equal(2, (await site.RowsAsync(agent)).Count);
    }

    [Fact]
    public async Task An_agent_makes_a_response_in_the_background()
    {
        var agent = await site.AgentAsync(Document);

        var queued = await ResponseAsync("/v1/responses", $$"""{"model":"agent:{{agent}}","input":"Later","background":true}""");
        await site.Host.RunJobsAsync();
        var (_, made) = await GetAsync($"/v1/responses/{queued["id"]}");
        using var unknown = await site.SendAsync(
            """{"model":"agent:nobody","input":"x","background":true}""", "/v1/responses", ("Authorization", "Bearer stoa-dev"));

        Assert.Equal(("queued", "completed"), ((string?)queued["status"], (string?)made["status"]));
        Assert.Equal("You said: Later", TextOf(made));
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);
    }

    private async Task<JsonNode> ResponseAsync(string path, string body)
    {
        using var answer = await site.SendAsync(body, path, ("Authorization", "Bearer stoa-dev"));
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return text.StartsWith('{') ? JsonNode.Parse(text)!
            : JsonNode.Parse(text.TrimEnd().Split('\n')[^1]["data: ".Length..])!["response"]!;
    }

    private static string TextOf(JsonNode response) => string.Concat(
        response["output"]!.AsArray().SelectMany(item => item!["content"]!.AsArray()).Select(part => (string?)part!["text"]));

    /// <summary>A change is heard within moments.</summary>
    private async Task UntilListedAsync(Func<HashSet<string>, bool> isThere)
    {
        while (!isThere([.. (await GetAsync("/v1/models")).Body["data"]!.AsArray().Select(model => (string)model!["id"]!)]))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }
    }

    private async Task<(HttpStatusCode Status, JsonNode Body)> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }
        request.Headers.Authorization ??= new("Bearer", "stoa-dev");
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!);
    }
}
