using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>What tools may do to a run: hostile ones, other agents, MCP servers.</summary>
public sealed class RunToolTests(RunSite site) : IClassFixture<RunSite>
{
    [Fact]
    public async Task A_tool_that_leads_elsewhere_never_ends_or_never_answers_is_an_error_for_the_model()
    {
        site.Tools.On("redirect", context =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = "http://127.0.0.1:1/secrets";
            return Task.CompletedTask;
        });
        site.Tools.On("endless", async context =>
        {
            var block = new byte[64 << 10];
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(block, context.RequestAborted);
            }
        });
        site.Tools.On("slow", context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        site.Tools.On("broken", context =>
        {
            context.Response.StatusCode = 500;
            return context.Response.WriteAsync("<html>no</html>");
        });
        var tools = new List<string>();
        foreach (var name in new[] { "redirect", "endless", "slow", "broken" })
        {
            tools.Add(await site.ToolAsync(name, """{"description":"x","fields":{}}"""));
        }
        var agent = await site.AgentAsync($$"""
            {"service":"openai","configuration":{"model":"gpt-4o","prompt":"x"},"function_ids":["{{string.Join("\",\"", tools)}}"]}
            """);
        site.OpenAi.EnqueueFor("gpt-4o",
            ScriptedAnswer.ToolCalls(
                new("redirect", "{}", "a"), new("endless", "{}", "b"),
                new("slow", "{}", "c"), new("broken", "{}", "d"), new("unknown", "{}", "e"),
                new("broken", "{not json", "f")),
            ScriptedAnswer.Text("Sorry."));

        var (_, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Go"}""");

        Assert.Equal("Sorry.", (string)body["response"]!["data"]!["content"]!);
        var results = site.OpenAi.RequestsFor("gpt-4o")[^1].Json!["messages"]!.AsArray()
            .Where(message => (string?)message!["role"] == "tool")
            .ToDictionary(message => (string)message!["tool_call_id"]!, message => message!["content"]!.ToString());
        Assert.Contains("url not allowed", results["a"], StringComparison.Ordinal);
        Assert.Contains("too large", results["b"], StringComparison.Ordinal);
        Assert.Contains("did not answer in time", results["c"], StringComparison.Ordinal);
        Assert.Contains("<html>no</html>", results["d"], StringComparison.Ordinal);
        Assert.Contains("Wrong Function name", results["e"], StringComparison.Ordinal);
        Assert.Contains("Args / Input is not proper JSON", results["f"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_that_is_too_long_is_cut_for_the_model()
    {
        site.Tools.On("long", context => context.Response.WriteAsync(new string('x', 200_000), context.RequestAborted));
        var tool = await site.ToolAsync("long", """{"description":"x","fields":{}}""");
        var agent = await site.AgentAsync($$"""
            {"service":"openai","configuration":{"model":"gpt-4.1","prompt":"x"},"function_ids":["{{tool}}"]}
            """);
        site.OpenAi.EnqueueFor("gpt-4.1", ScriptedAnswer.ToolCalls(new ScriptedCall("long", "{}")), ScriptedAnswer.Text("Long."));

        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Go"}""");

        var result = site.OpenAi.RequestsFor("gpt-4.1")[^1].Json!["messages"]!.AsArray()[^1]!["content"]!.ToString();
        Assert.EndsWith("[truncated]", result, StringComparison.Ordinal);
        Assert.InRange(result.Length, 65_000, 66_000);
    }

    [Fact]
    public async Task A_model_that_is_to_plan_says_its_steps_as_it_goes()
    {
        var agent = await site.AgentAsync(
            """{"service":"openai","configuration":{"model":"gpt-4.1-mini","prompt":"x","response_type":"text"}}""");
        site.OpenAi.EnqueueFor("gpt-4.1-mini",
            ScriptedAnswer.ToolCalls(new ScriptedCall("update_plan",
                """{"items":[{"content":"Look","status":"in_progress"},{"content":"Tell","status":"?"},{"status":"pending"}]}""")),
            ScriptedAnswer.ToolCalls(new ScriptedCall("update_plan", """{"items":"none"}""")),
            ScriptedAnswer.ToolCalls(new ScriptedCall("update_plan", """{"items":[{"content":"Look","status":"completed"}]}""")),
            ScriptedAnswer.Text("Done."));

        var events = await site.StreamAsync($$"""{"bridge_id":"{{agent}}","user":"Go","stream":true,"mode":"plan"}""");

        var plans = events.Where(one => (string?)one["event"] == "planning").Select(one => one["plans"]!.ToJsonString()).ToList();
        Assert.Equal(["""[{"content":"Look","status":"in_progress"},{"content":"Tell","status":"pending"}]""",
            """[{"content":"Look","status":"completed"}]"""], plans);
        Assert.Equal(plans[^1], events[^1]["response"]!["response"]!["data"]!["plans"]!.ToJsonString());
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(plans[^1]), Assert.Single(await site.RowsAsync(agent)).Document["plans"]));

        site.OpenAi.EnqueueFor("gpt-4.1-mini", ScriptedAnswer.Text("No plan."));
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Go"}""");
        Assert.Null(site.OpenAi.RequestsFor("gpt-4.1-mini")[^1].Json!["tools"]);
    }

    [Fact]
    public async Task A_page_of_the_web_is_read_by_the_operators_service_and_only_of_the_domains_that_are_allowed()
    {
        site.Tools.Answers("scrape", """{"success":true,"data":{"markdown":"# Porch","metadata":{"statusCode":200}}}""");
        var agent = await site.AgentAsync("""
            {"service":"openai","configuration":{"model":"gpt-4.1-mini","prompt":"x {{pre_function}}","response_type":"text"},"built_in_tools":["Gtwy_Web_Search"],
             "gtwy_web_search_filters":["example.org"],"pre_tools":[{"type":"gtwy_web_search","args":{"url":"https://example.org/{{page}}"}}]}
            """);
        site.OpenAi.EnqueueFor("gpt-4.1-mini",
            ScriptedAnswer.ToolCalls(
                new("Gtwy_Web_Search", """{"url":"https://www.example.org/a","formats":["html"]}""", "a"),
                new("Gtwy_Web_Search", """{"url":"https://example.org.evil.net/"}""", "b"),
                new("Gtwy_Web_Search", """{"url":"file:///etc/passwd"}""", "c")),
            ScriptedAnswer.Text("Read."));

        await site.RunAsync($$$"""{"bridge_id":"{{{agent}}}","user":"Go","variables":{"page":"start"} }""");

        var asked = site.OpenAi.RequestsFor("gpt-4.1-mini")[^1].Json!["messages"]!.AsArray();
        Assert.Contains("# Porch", asked[0]!["content"]!.ToString(), StringComparison.Ordinal);
        var results = asked.Where(message => (string?)message!["role"] == "tool")
            .ToDictionary(message => (string)message!["tool_call_id"]!, message => message!["content"]!.ToString());
        Assert.Contains("# Porch", results["a"], StringComparison.Ordinal);
        Assert.Contains("url must be of example.org", results["b"], StringComparison.Ordinal);
        Assert.Contains("http(s) address", results["c"], StringComparison.Ordinal);
        var read = site.Tools.Calls.Where(call => call.Path == "/v2/scrape").ToList();
        Assert.Equal(["https://example.org/start", "https://www.example.org/a"], read.Select(call => (string?)call.Body!["url"]));
        Assert.Equal(["html"], read[1].Body!["formats"]!.AsArray().Select(format => (string?)format));
        Assert.All(read, call => Assert.Equal("Bearer of-the-crawler", call.Headers["Authorization"]));

        site.Tools.On("scrape", context =>
        {
            context.Response.StatusCode = 402;
            return context.Response.WriteAsync("""{"success":false,"error":"Out of credits"}""");
        });
        site.OpenAi.EnqueueFor("gpt-4.1-mini", ScriptedAnswer.ToolCalls(
            new ScriptedCall("Gtwy_Web_Search", """{"url":"https://example.org/b"}""")), ScriptedAnswer.Text("Not read."));
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Again"}""");
        Assert.Contains("Out of credits",
            site.OpenAi.RequestsFor("gpt-4.1-mini")[^1].Json!["messages"]!.AsArray()[^1]!["content"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_may_bring_its_own_tools()
    {
        site.Tools.Answers("extra", """{"price":7}""");
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"o3","prompt":"x"}}""");
        site.OpenAi.EnqueueFor(
            "o3", ScriptedAnswer.ToolCalls(new ScriptedCall("price", """{"of":"tea"}""")), ScriptedAnswer.Text("Seven."));

        var (_, body) = await site.RunAsync($$$$"""
            {"bridge_id":"{{{{agent}}}}","user":"How much?","variables":{"shop":"s1"},
             "extra_tools":[{"name":"price","url":"{{{{site.Tools.Address}}}}/extra","headers":{"x-secret":"1"},"description":"Prices",
               "fields":{"of":{"type":"string"},"shop":{"type":"string"}},"required_params":["of","shop"],"tool_and_variable_path":{"shop":"shop"}}]}
            """);

        Assert.Equal(7, (int)body["response"]!["data"]!["tools_data"]!["price"]!["price"]!);
        var call = Assert.Single(site.Tools.Calls, call => call.Path == "/extra");
        Assert.Equal(("tea", "s1"), ((string)call.Body!["of"]!, (string)call.Body["shop"]!));
    }

    [Fact]
    public async Task An_agent_asks_another_one_as_a_tool()
    {
        var billing = await site.AgentAsync("""
            {"service":"anthropic","configuration":{"model":"claude-haiku-4-5","prompt":"You know {{customer}}."},
             "agent_info":{"description":"Knows invoices","agent_variables":{"fields":{"customer":{"type":"string"}},"required":["customer"]}}}
            """);
        var desk = await site.AgentAsync($$$"""
            {"service":"openai","configuration":{"model":"gpt-5","prompt":"x"},"connected_agents":{"billing":{"bridge_id":"{{{billing}}}"} } }
            """);
        site.OpenAi.EnqueueFor("gpt-5", ScriptedAnswer.ToolCalls(
            new ScriptedCall("billing", """{"_query":"What is due?","customer":"Asha"}""")), ScriptedAnswer.Text("Ten rupees."));
        site.Anthropic.EnqueueFor("claude-haiku-4-5", ScriptedAnswer.Text("10"));

        var (_, body) = await site.RunAsync($$"""{"bridge_id":"{{desk}}","user":"What do I owe?"}""");

        Assert.Equal("Ten rupees.", (string)body["response"]!["data"]!["content"]!);
        Assert.Equal("10", (string)body["response"]!["data"]!["tools_data"]!["billing"]!["data"]!);
        Assert.StartsWith("You know Asha.", site.Anthropic.RequestsFor("claude-haiku-4-5")[^1].Json!["system"]!.ToJsonString().Trim(
            '[', '"').Replace("{\"type\":\"text\",\"text\":\"", "", StringComparison.Ordinal), StringComparison.Ordinal);
        var parent = Assert.Single(await site.RowsAsync(desk));
        Assert.Equal(parent.MessageId, Assert.Single(await site.RowsAsync(billing)).ParentId);
    }

    [Fact]
    public async Task A_conversation_that_was_handed_over_stays_with_the_other_agent()
    {
        var sales = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4o-mini","prompt":"Sales"}}""");
        var desk = await site.AgentAsync($$$"""
            {"service":"openai","configuration":{"model":"gpt-5-mini","prompt":"Desk"},"connected_agents":{"sales":{"bridge_id":"{{{sales}}}"} } }
            """);
        site.OpenAi.EnqueueFor(
            "gpt-5-mini", ScriptedAnswer.ToolCalls(new ScriptedCall("sales", """{"_query":"Sell tea","action_type":"transfer"}""")));
        site.OpenAi.EnqueueFor("gpt-4o-mini", ScriptedAnswer.Text("Which tea?"), ScriptedAnswer.Text("Green it is."));

        var (_, first) =
            await site.RunAsync($$"""{"bridge_id":"{{desk}}","user":"I want tea","thread_id":"buy","orchestrator_flag":true}""");
        var (_, second) = await site.RunAsync($$"""{"bridge_id":"{{desk}}","user":"Green","thread_id":"buy","orchestrator_flag":true}""");

        Assert.Equal(
            ("Which tea?", sales), ((string)first["response"]!["data"]!["content"]!, (string)first["response"]!["data"]!["bridge_id"]!));
        Assert.Equal(("Green it is.", sales),
            ((string)second["response"]!["data"]!["content"]!, (string)second["response"]!["data"]!["bridge_id"]!));
        var handedOver = Assert.Single(await site.RowsAsync(desk));
        Assert.Contains("transferred to agent sales", handedOver.Answer, StringComparison.Ordinal);
        var rows = await site.RowsAsync(sales);
        Assert.Equal(handedOver.ChildId, rows[0].MessageId);
        Assert.Equal(["Sell tea", "Green"], rows.Select(row => row.UserMessage));
        var (_, log) = await site.GetAsync($"/api/orchestrator/history/{desk}");
        var handover = Assert.Single(log["data"]!.AsArray())!;
        Assert.Equal([desk, sales], handover["agents_path"]!.AsArray().Select(id => (string)id!));
        Assert.Equal(("I want tea", "Sell tea"), ((string)handover["user"]![desk]!, (string)handover["user"]![sales]!));
        Assert.Equal("Which tea?", (string)handover["llm_message"]![sales]!);
        Assert.Equal("buy", (string)handover["thread_id"]!);
        Assert.Empty((await site.GetAsync($"/api/orchestrator/history/{sales}")).Body["data"]!.AsArray());
    }

    [Fact]
    public async Task A_stored_tool_sends_a_secret_that_a_request_cannot_name()
    {
        using var set = await site.Host.Client.SendAsync(
            new(HttpMethod.Put, "/api/stoa/secrets/CRM") { Headers = { Authorization = new("Bearer", "stoa-dev") },
                Content = JsonContent.Create(new { value = "s3cr3t" }) },
            TestContext.Current.CancellationToken);
        site.Tools.Answers("crm", """{"ok":1}""");
        site.Tools.Answers("mine", """{"ok":2}""");
        var known = await site.ToolAsync("crm", """{"description":"x","fields":{},"headers":{"x-token":"Key {{secret.CRM}}"}}""");
        var unknown = await site.ToolAsync("lost", """{"description":"x","fields":{},"auth":{"token":"{{secret.NONE}}"}}""");
        var agent = await site.AgentAsync($$"""
            {"service":"openai","configuration":{"model":"o4-mini","prompt":"x"},"function_ids":["{{known}}","{{unknown}}"]}
            """);
        site.OpenAi.EnqueueFor(
            "o4-mini", ScriptedAnswer.ToolCalls(new("crm", "{}", "a"), new("lost", "{}", "b"), new("mine", "{}", "c")),
            ScriptedAnswer.Text("Done."));

        await site.RunAsync($$$$"""
            {"bridge_id":"{{{{agent}}}}","user":"Go","extra_tools":[{"name":"mine","url":"{{{{site.Tools.Address}}}}/mine","headers":{"x-token":"{{secret.CRM}}"},"fields":{}}]}
            """);

        Assert.Equal(System.Net.HttpStatusCode.OK, set.StatusCode);
        Assert.Equal("Key s3cr3t", Assert.Single(site.Tools.Calls, call => call.Path == "/func/crm").Headers["x-token"]);
        Assert.Equal("{{secret.CRM}}", Assert.Single(site.Tools.Calls, call => call.Path == "/mine").Headers["x-token"]);
        Assert.DoesNotContain(site.Tools.Calls, call => call.Path == "/func/lost");
        var asked = site.OpenAi.RequestsFor("o4-mini")[^1].Json!["messages"]!.ToJsonString();
        Assert.Contains("The secret NONE is not set", asked, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", asked, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", Assert.Single(await site.RowsAsync(agent)).Document.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tools_of_an_mcp_server_are_called()
    {
        site.Tools.On("mcp", context => AnswerMcpAsync(context, ToolServer.Body(context)!));
        var agent = await site.AgentAsync($$$$"""
            {"service":"openai","configuration":{"model":"gpt-4.1-mini","prompt":"x",
              "mcp_config":{"servers":[{"name":"sums","url":"{{{{site.Tools.Address}}}}/mcp"},{"name":"away","url":"{{{{site.Tools.Address}}}}/away"}]}}}
            """);
        site.OpenAi.EnqueueFor(
            "gpt-4.1-mini", ScriptedAnswer.ToolCalls(new ScriptedCall("add", """{"a":1,"b":2}""")), ScriptedAnswer.Text("Three."));

        var (_, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"1+2?"}""");

        Assert.Equal("Three.", (string)body["response"]!["data"]!["content"]!);
        Assert.Equal(3, (int)body["response"]!["data"]!["tools_data"]!["add"]!);
        Assert.Equal("mcp", (string)Assert.Single(
            await site.RowsAsync(agent)).Document["tools_call_data"]![0]!.AsObject().Single().Value!["data"]!["metadata"]!["type"]!);
    }

    private static Task AnswerMcpAsync(HttpContext context, JsonNode body)
    {
        JsonObject? result = (string?)body["method"] switch
        {
            "initialize" => new()
            {
                ["protocolVersion"] = (string?)body["params"]?["protocolVersion"] ?? "2025-06-18",
                ["capabilities"] = new JsonObject { ["tools"] = new JsonObject() },
                ["serverInfo"] = new JsonObject { ["name"] = "sums", ["version"] = "1" },
            },
            "tools/list" => new()
            {
                ["tools"] = new JsonArray(JsonNode.Parse("""
                    {"name":"add","description":"Adds","inputSchema":{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}}}}
                    """)),
            },
            "tools/call" => new()
            {
                ["content"] = new JsonArray(new JsonObject
                {
                    ["type"] = "text",
                    ["text"] = ((int)body["params"]!["arguments"]!["a"]! + (int)body["params"]!["arguments"]!["b"]!)
                    .ToString(System.Globalization.CultureInfo.InvariantCulture),
                }),
            },
            _ => null,
        };
        if (body["id"] is not { } id)
        {
            context.Response.StatusCode = 202;
            return Task.CompletedTask;
        }
        var answer = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = id.DeepClone() };
        if (result is null)
        {
            answer["error"] = new JsonObject { ["code"] = -32601, ["message"] = "Method not found" };
        }
        else
        {
            answer["result"] = result;
        }
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(answer.ToJsonString(), Encoding.UTF8, context.RequestAborted);
    }
}
