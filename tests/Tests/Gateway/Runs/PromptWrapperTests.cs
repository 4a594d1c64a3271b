using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>Texts around prompts: kept, changed, and asked with.</summary>
public sealed class PromptWrapperTests(RunSite site) : IClassFixture<RunSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wrapper_stands_around_the_prompt_of_the_agent_or_of_the_request_that_names_it()
    {
        var (_, made) =
            await DoAsync("POST", "/api/prompt_wrappers", """{"name":"polite","template":"Please. {{system_prompt}} Thank you."}""");
        var id = (string)made["data"]!["_id"]!;
        var agent = await site.AgentAsync(
            $$"""{"service":"openai","wrapper_id":"{{id}}","configuration":{"model":"gpt-4o","prompt":"Say it."} }""");
        var plain = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4o","prompt":"Say it."} }""");

        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Go"}""");
        Assert.Contains("Please. Say it. Thank you.", Asked(), StringComparison.Ordinal);
        await site.RunAsync($$"""{"bridge_id":"{{plain}}","user":"Go","wrapper_id":"{{id}}"}""");
        Assert.Contains("Please. Say it. Thank you.", Asked(), StringComparison.Ordinal);
        var (refused, _) = await site.RunAsync($$"""{"bridge_id":"{{plain}}","user":"Go","wrapper_id":"0123456789abcdef01234567"}""");
        Assert.Equal(HttpStatusCode.BadRequest, refused);

        await DoAsync("PUT", $"/api/prompt_wrappers/{id}", """{"template":"Now. {{system_prompt}}"}""");
        await Patience.UntilAsync(async () =>
        {
            await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Go"}""");
            return Asked().Contains("Now. Say it.", StringComparison.Ordinal);
        });
        await DoAsync("DELETE", $"/api/prompt_wrappers/{id}");
        await Patience.UntilAsync(async () =>
        {
            await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Go"}""");
            return !Asked().Contains("Now.", StringComparison.Ordinal);
        });

        string Asked() => site.OpenAi.RequestsFor("gpt-4o")[^1].Json!["messages"]!.ToJsonString();
    }

    [Fact]
    public async Task Wrappers_are_listed_read_and_refused()
    {
        var (status, made) = await DoAsync("POST", "/api/prompt_wrappers", """{"name":"one","template":"{{system_prompt}}!"}""");
        var id = (string)made["data"]!["_id"]!;
        var (_, read) = await DoAsync("GET", $"/api/prompt_wrappers/{id}");
        var (_, listed) = await DoAsync("GET", "/api/prompt_wrappers");

        Assert.Equal(
            (HttpStatusCode.OK, "one", "{{system_prompt}}!"), (status, (string?)read["data"]!["name"], (string?)read["data"]!["template"]));
        Assert.Contains(listed["data"]!.AsArray(), wrapper => (string?)wrapper!["_id"] == id);
        foreach (var body in (string[])["""{"name":"one","template":"{{system_prompt}}"}""",
            """{"name":"x","template":"no place"}""", """{"name":"x"}""", """{"template":"{{system_prompt}}"}""", "[]"])
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await DoAsync("POST", "/api/prompt_wrappers", body)).Status);
        }
        Assert.Equal(HttpStatusCode.NotFound, (await DoAsync("GET", "/api/prompt_wrappers/0123456789abcdef01234567")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await DoAsync("DELETE", "/api/prompt_wrappers/none")).Status);
    }

    private async Task<(HttpStatusCode Status, JsonNode Body)> DoAsync(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new(method), path) { Headers = { { "pauthkey", "stoa-dev" } } };
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!);
    }
}
