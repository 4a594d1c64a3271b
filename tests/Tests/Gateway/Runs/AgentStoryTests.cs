using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>An agent's whole life, over HTTP, as GTWY's clients lead it.</summary>
public sealed class AgentStoryTests(RunSite site) : IClassFixture<RunSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_agent_is_made_published_asked_and_stopped_by_its_budget()
    {
        site.Tools.Answers("weather", """{"temp":21}""");
        var made = (await DoAsync("POST", "/api/agent", """{"name":"Story","flag":true}"""))["agent"]!;
        var (agent, version) = ((string)made["_id"]!, (string)made["versions"]![0]!);
        var tool = (string)(await DoAsync("POST", "/api/tools", """
            {"id":"weather","title":"weather","desc":"The weather","status":"published",
             "openaiToolJson":{"function":{"parameters":{"properties":{"city":{"type":"string"}},"required":["city"]}}}}
            """))["data"]!["_id"]!;
        await DoAsync("PUT", $"/api/versions/{version}", """
            {"service":"openai","configuration":{"model":"gpt-4o","prompt":"You help {{name}}.","response_type":"text"},"settings":{"stateless_conversation":false},"gpt_memory":false}
            """);
        await DoAsync("PUT", $"/api/versions/{version}", $$$"""{"functionData":{"function_id":"{{{tool}}}","function_operation":"1"}}""");
        var unpublished = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""");
        await DoAsync("POST", $"/api/versions/publish/{version}");
        site.OpenAi.EnqueueFor("gpt-4o",
            ScriptedAnswer.ToolCalls(new ScriptedCall("weather", """{"city":"Pune"}""")),
            ScriptedAnswer.Text("21 degrees."), ScriptedAnswer.Text("You asked about Pune."),
            ScriptedAnswer.Text("Delivered."));

        var first = await AnswerAsync(
            $$$$"""{"bridge_id":"{{{{agent}}}}","user":"Weather in Pune?","thread_id":"s","variables":{"name":"Asha"} }""");
        var second =
            await AnswerAsync($$$$"""{"bridge_id":"{{{{agent}}}}","user":"Where?","thread_id":"s","variables":{"name":"Asha"} }""");
        await AnswerAsync($$$$"""
            {"bridge_id":"{{{{agent}}}}","user":"Later","configuration":{"response_format":{"type":"webhook","cred":{"url":"{{{{site.Tools.Address}}}}/story"} } } }
            """);
        await site.Host.RunJobsAsync();
        var history = await DoAsync("GET", $"/api/v1/config/threads/s/{agent}");
        var recorded = await DoAsync("GET", $"/api/history/{agent}/s/s");
        var threads = await DoAsync("GET", $"/api/history/{agent}");
        var metrics = await MeteredAsync(agent, calls: 4);
        await DoAsync("PUT", $"/api/agent/{agent}", """{"bridge_limit":0.00000001,"bridge_limit_reset_period":"monthly"}""");
        var refused = await RefusedAsync(agent);

        Assert.Equal(400, (int)unpublished.Status);
        Assert.Equal(("21 degrees.", 21), ((string)first["data"]!["content"]!, (int)first["data"]!["tools_data"]!["weather"]!["temp"]!));
        Assert.Equal("You asked about Pune.", (string)second["data"]!["content"]!);
        var asked = site.OpenAi.RequestsFor("gpt-4o")[2].Json!["messages"]!.AsArray();
        Assert.Equal(["system", "user", "assistant", "tool", "assistant", "user"],
            asked.Select(message => (string)message!["role"]! is "developer" ? "system" : (string)message["role"]!));
        Assert.Equal(
            "Delivered.", (string)Assert.Single(site.Tools.Calls, call => call.Path == "/story").Body!["response"]!["data"]!["content"]!);
        Assert.Contains("21 degrees.", history.ToJsonString(), StringComparison.Ordinal);
        var runs = recorded["data"]!.AsArray();
        Assert.Equal(["Weather in Pune?", "Where?"], runs.Select(run => (string)run!["user"]!));
        Assert.Equal((string)first["data"]!["message_id"]!, (string)runs[0]!["message_id"]!);
        Assert.Contains("weather", runs[0]!["tools_call_data"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains(threads["data"]!.AsArray(), thread => (string)thread!["thread_id"]! == "s");
        var usages = new[] { first, second, Assert.Single(site.Tools.Calls, call => call.Path == "/story").Body!["response"]! }
            .Select(answer => answer["usage"]!);
        Assert.Equal(usages.Sum(usage => (long)usage["total_tokens"]!), (long)metrics["total_token_count"]!);
        Assert.Equal(usages.Sum(usage => (decimal)usage["cost"]!), (decimal)metrics["cost_sum"]!);
        Assert.Equal(("BRIDGE_LIMIT_EXCEEDED", "bridge"), ((string)refused["error_code"]!, (string)refused["limit_type"]!));
    }

    private async Task<JsonNode> AnswerAsync(string body)
    {
        var (status, answer) = await site.RunAsync(body);
        Assert.True((int)status == 200, answer.ToJsonString());
        return answer["response"] ?? answer;
    }

    /// <summary>What a run costs counts within moments; then the agent is refused.</summary>
    private async Task<JsonNode> RefusedAsync(string agent)
    {
        while (true)
        {
            var (status, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"More"}""");
            if ((int)status == 400)
            {
                return body["detail"] ?? throw new InvalidOperationException(body.ToJsonString());
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Ct);
        }
    }

    /// <summary>The sums of the agent's calls of this day, once so many are in them.</summary>
    private async Task<JsonNode> MeteredAsync(string agent, int calls)
    {
        while (true)
        {
            var metrics = await DoAsync("POST", "/api/metrics", $$"""{"range":5,"factor":"bridge_id","bridge_id":"{{agent}}"}""");
            var rows = metrics["data"]!.AsArray();
            if (rows.Sum(row => (long)row!["record_count"]!) == calls)
            {
                return Assert.Single(rows)!;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Ct);
        }
    }

    private async Task<JsonNode> DoAsync(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new(method), path) { Headers = { { "pauthkey", "stoa-dev" } } };
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {text}");
        return JsonNode.Parse(text)!;
    }
}
