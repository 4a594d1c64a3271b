using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>What tools and receivers of alerts are shown stands sealed in the database, and is shown to them all the same.</summary>
public sealed class SealedCredentialsTests(RunSite site) : IClassFixture<RunSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Credentials_of_a_function_are_sealed_and_sent()
    {
        var made = await DoAsync("POST", "/api/tools", """
            {"id":"sealed","title":"sealed","desc":"tells it","status":"published","headers":{"x-token":"canary-1","x-number":7},"auth":{"type":"bearer","token":"canary-2"} }
            """);
        var id = (string)made["data"]!["_id"]!;
        await DoAsync("PUT", $"/api/tools/{id}", """{"dataToSend":{"description":"tells it again"}}""");
        var kept = (string)(await site.ReadAsync("select document::text from gateway.tools where id = $1", id))!;
        var shown = (await DoAsync("GET", "/api/tools"))["data"]!.AsArray().Single(tool => (string?)tool!["_id"] == id)!;
        await RunAsync(id);

        Assert.DoesNotContain("canary", kept, StringComparison.Ordinal);
        Assert.Contains("x-token", kept, StringComparison.Ordinal);
        Assert.Equal("""{"x-token":"canary-1","x-number":7}""", shown["headers"]!.ToJsonString());
        var sent = site.Tools.Calls.Single(call => call.Path == "/func/sealed").Headers;
        Assert.Equal(("canary-1", "7", "Bearer canary-2"), (sent["x-token"], sent["x-number"], sent["Authorization"]));
    }

    [Fact]
    public async Task What_was_written_before_there_was_a_seal_is_sent_as_it_stands()
    {
        await RunAsync(await site.ToolAsync("clear", """{"description":"x","fields":{},"headers":{"x-token":"clear-1"} }"""));

        Assert.Equal("clear-1", site.Tools.Calls.Single(call => call.Path == "/func/clear").Headers["x-token"]);
    }

    [Fact]
    public async Task Headers_of_an_alert_are_sealed_and_stay_when_something_else_is_changed()
    {
        var made = await DoAsync("POST", "/api/alerting", $$$"""
            {"name":"sealed","webhookConfiguration":{"url":"{{{site.Tools.Address}}}/hook","headers":{"x-token":"canary-3"}},"alertType":["Error"]}
            """);
        var id = (string)made["data"]!["_id"]!;
        var changed = await DoAsync("PUT", $"/api/alerting/{id}", """{"limit":7}""");
        var kept = (string)(await site.ReadAsync("select document::text from gateway.alerts where id = $1", id))!;

        Assert.Equal("canary-3", (string?)changed["data"]!["webhookConfiguration"]!["headers"]!["x-token"]);
        Assert.DoesNotContain("canary", kept, StringComparison.Ordinal);
        Assert.Contains("/hook", kept, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_agents_sign_in_with_is_sealed_in_all_their_documents_and_sent()
    {
        var made = (await DoAsync("POST", "/api/agent", """{"name":"Sealed servers","flag":true}"""))["agent"]!;
        var (agent, version) = ((string)made["_id"]!, (string)made["versions"]![0]!);
        await DoAsync("PUT", $"/api/versions/{version}", $$$"""
            {"service":"openai","configuration":{"model":"gpt-4o","prompt":"x","mcp_config":{"servers":[
               {"name":"sums","url":"{{{site.Tools.Address}}}/sealed-mcp?token=canary-4","headers":{"Authorization":"Bearer canary-5"} }]}},
             "settings":{"response_format":{"type":"webhook","cred":{"url":"{{{site.Tools.Address}}}/told","headers":{"x-token":"canary-6"} } } } }
            """);
        await DoAsync("POST", $"/api/versions/publish/{version}");
        var kept = (string)(await site.ReadAsync("""
            select string_agg(document::text, ' ') from (
              select document from gateway.agents
                where id = $1 union all select document from gateway.agent_versions where agent_id = $1) all_of_it
            """, agent))!;
        var shown = (await DoAsync("GET", $"/api/versions/{version}"))["agent"]!;
        site.OpenAi.EnqueueFor("gpt-4o", ScriptedAnswer.Text("Done."));
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Go"}""");
        await Patience.UntilAsync(() => site.Tools.Calls.Any(call => call.Path == "/told"));

        Assert.DoesNotContain("canary", kept, StringComparison.Ordinal);
        Assert.Equal("Bearer canary-5", (string?)shown["configuration"]!["mcp_config"]!["servers"]![0]!["headers"]!["Authorization"]);
        Assert.Equal("canary-6", (string?)shown["settings"]!["response_format"]!["cred"]!["headers"]!["x-token"]);
        Assert.Equal("Bearer canary-5", site.Tools.Calls.First(call => call.Path == "/sealed-mcp").Headers["Authorization"]);
        Assert.Equal("canary-6", site.Tools.Calls.First(call => call.Path == "/told").Headers["x-token"]);
    }

    private async Task RunAsync(string tool)
    {
        var agent = await site.AgentAsync(
            $$"""{"service":"openai","configuration":{"model":"gpt-4o","prompt":"x"},"function_ids":["{{tool}}"]}""");
        var title = (string)(await site.ReadAsync("select title from gateway.tools where id = $1", tool))!;
        site.OpenAi.EnqueueFor("gpt-4o", ScriptedAnswer.ToolCalls(new ScriptedCall(title, "{}")), ScriptedAnswer.Text("Done."));
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Go"}""");
    }

    private async Task<JsonNode> DoAsync(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new(method), path) { Headers = { { "pauthkey", "stoa-dev" } } };
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {text}");
        return JsonNode.Parse(text)!;
    }
}
