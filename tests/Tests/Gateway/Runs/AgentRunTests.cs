using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Runs;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

public sealed class AgentRunTests(RunSite site) : IClassFixture<RunSite>
{
    [Fact]
    public async Task An_agent_answers_in_the_standard_form()
    {
        var agent = await site.AgentAsync("""
            {"service":"openai","configuration":{"model":"gpt-4o","prompt":"You greet {{name}} in {{place.city}}.","creativity_level":0.5}}
            """);
        site.OpenAi.EnqueueFor("gpt-4o", ScriptedAnswer.Text("Namaste").WithUsage(new(20, 3)));

        var (status, body) = await site.RunAsync($$$$"""
            {"bridge_id":"{{{{agent}}}}","user":"Hello","variables":{"name":"Asha {{place.city}}","place":{"city":"Pune"}}}
            """);

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.True((bool)body["success"]!);
        var data = body["response"]!["data"]!;
        Assert.Equal("Namaste", (string)data["content"]!);
        Assert.Equal("assistant", (string)data["role"]!);
        Assert.Equal("completed", (string)data["finish_reason"]!);
        Assert.Empty(data["tools_data"]!.AsObject());
        Assert.Null(data["images"]);
        Assert.True(data.AsObject().ContainsKey("images"));
        Assert.Empty(data["annotations"]!.AsArray());
        Assert.False((bool)data["fallback"]!);
        Assert.Equal("", (string)data["firstAttemptError"]!);
        Assert.True(Guid.TryParse((string)data["message_id"]!, out _));
        var usage = body["response"]!["usage"]!;
        Assert.Equal((20, 3, 23), ((int)usage["input_tokens"]!, (int)usage["output_tokens"]!, (int)usage["total_tokens"]!));
        Assert.Equal(0.00008m, (decimal)usage["cost"]!);

        var asked = site.OpenAi.RequestsFor("gpt-4o")[^1].Json!;
        var prompt = asked["messages"]![0]!["content"]!.ToString();
        Assert.StartsWith("You greet Asha {{place.city}} in Pune.", prompt, StringComparison.Ordinal);
        Assert.Contains("### CURRENT TIME", prompt, StringComparison.Ordinal);
        Assert.Equal(0.5, (double)asked["temperature"]!);
    }

    [Fact]
    public async Task Runs_at_the_same_time_read_one_configuration_and_leave_it_as_it_is()
    {
        site.Tools.Answers("mood", """{"mood":"sunny"}""");
        await site.ToolAsync("mood", """{"description":"x","fields":{"who":{"type":"string"}}}""");
        var tool = await site.ToolAsync("unused", """{"description":"x","fields":{"user_id":{"type":"string"}},"required":["user_id"]}""");
        var agent = await site.AgentAsync($$$$"""
            {"service":"openai","function_ids":["{{{{tool}}}}"],"variables_path":{"unused":{"user_id":"user.id"}},
             "configuration":{"model":"gpt-4.1","prompt":{"role":"{{role}} of {{name}}","goal":"{{pre_function.mood}}"},"response_type":{"type":"text"},"creativity_level":0.5},
             "variables_state":{"role":{"status":"optional","default_value":"The guide"},"name":{"status":"optional","default_value":{"first":"Asha"}}},
             "pre_tools":[{"type":"custom_function","config":{"script_id":"mood"},"args":{"who":"{{name}}"}}],"settings":{"maximum_iterations":2}}
            """);
        var agents = site.Host.Services.GetRequiredService<AgentConfigurations>();
        var before = await FindAsync();
        var asked = site.OpenAi.RequestsFor("gpt-4.1").Count;

        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(number => site.RunAsync($$$$"""
            {"bridge_id":"{{{{agent}}}}","user":"Hello","variables":{"name":"Guest {{{{number}}}}","user":{"id":"{{{{number}}}}"}},"configuration":{"creativity_level":0.{{{{number % 9}}}}}}
            """)));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(
            Enumerable.Range(0, 24).Select(number => $"The guide of Guest {number}").Order(StringComparer.Ordinal),
            site.OpenAi.RequestsFor("gpt-4.1").Skip(asked).Select(request => request.Json!["messages"]![0]!["content"]!.ToString()
                .Split('\n')[0].Replace("Role: ", "", StringComparison.OrdinalIgnoreCase))
                .Order(StringComparer.Ordinal));
        // Its own change may have reached this node in between. As they come out of its documents, which nobody can change.
        Assert.All([before, await FindAsync()], used => Assert.Equal(TextOf(new(used)), TextOf(used.Nodes)));

        ValueTask<AgentConfiguration> FindAsync() =>
            agents.FindAsync(Organization.DefaultId, agent, versionId: null, environment: null, TestContext.Current.CancellationToken);

        static string TextOf(AgentNodes nodes) => string.Join(
            '\n', new[] { nodes.Parameters, nodes.Settings, nodes.VariablesState, nodes.VariablesPath, nodes.Document }
            .Select(node => node?.ToJsonString()));
    }

    [Fact]
    public async Task A_run_is_in_the_history_when_its_answer_arrives()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4.1","prompt":"Be brief."}}""");

        var (_, body) = await site.RunAsync($$"""{"agent_id":"{{agent}}","user":"What is a stoa?\u0009","thread_id":"t1"}""");

        var row = Assert.Single(await site.RowsAsync(agent));
        Assert.Equal((string)body["response"]!["data"]!["message_id"]!, row.MessageId);
        Assert.True(row.IsSuccess);
        Assert.Equal(("t1", "t1"), (row.ThreadId, row.SubThreadId));
        Assert.Equal("What is a stoa?\t", row.UserMessage);
        Assert.StartsWith("You said:", row.Answer, StringComparison.Ordinal);
        Assert.Equal(("openai", "gpt-4.1", "completed"), (row.Service, row.Model, row.FinishReason));
        Assert.StartsWith("Be brief.", (string)row.Document["prompt"]!, StringComparison.Ordinal);
        Assert.True((double)row.Document["latency"]!["over_all_time"]! > 0);
        Assert.Equal("t1", Assert.Single(await site.ThreadsAsync(agent)).ThreadId);
    }

    [Fact]
    public async Task The_history_keeps_the_whole_of_a_run()
    {
        var agent = await site.AgentAsync("""
            {"service":"openai","configuration":{"model":"gpt-4o","prompt":"You greet {{name}} of {{town}}.","creativity_level":0.5,"max_tokens":"default"},
             "variables_state":{"town":{"status":"required"}} }
            """);
        site.OpenAi.EnqueueFor("gpt-4o", ScriptedAnswer.Text("Namaste").WithUsage(new(20, 3)));

        var (_, answer) = await site.RunAsync($$"""
            {"bridge_id":"{{agent}}","user":"Hello","variables":{"name":"Asha \u00e9 \u0022<b>"},"images":["data:image/png;base64,iVBORw0KGgo="],
             "user_urls":[{"type":"image","url":"https://example.org/a.png"}],"testcase_data":{"a":[1,2.50]} }
            """);

        Assert.True((bool?)answer["success"], answer.ToJsonString());
        var kept = Assert.Single(await site.RowsAsync(agent)).Document;
        foreach (var time in new[] { "over_all_time", "model_execution_time", "queue_time" })
        {
            Assert.True((double)kept["latency"]![time]! >= 0);
            kept["latency"]![time] = 0;
        }
        kept["latency"]!["execution_time_logs"]![0]!["time_taken"] = 0;
        ((JsonObject)kept["latency"]!).Remove("time_to_first_token");
        Assert.StartsWith("You greet Asha \u00e9 \"<b> of {{town}}.", (string)kept["prompt"]!, StringComparison.Ordinal);
        kept["prompt"] = "";
        kept["user_id"] = "";
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse("""
                    {"prompt":"","reasoning":"","tools_call_data":[],
                     "tokens":{"input_tokens":20,"output_tokens":3,"expected_cost":0.0000800000,"cached_tokens":0,"is_estimated":false},
                     "variables":{"name":"Asha \u00e9 \u0022<b>"},"missing_variables":["town"],
                     "latency":{"over_all_time":0,"model_execution_time":0,"execution_time_logs":[{"step":"openai Processing time for call :- 1","time_taken":0}],
                       "function_time_logs":[],"queue_time":0},
                     "AiConfig":{"model":"gpt-4o","service":"openai","parameters":{"creativity_level":0.5},"tools":[],"response_type":"text"},
                     "user_urls":[{"url":"(inline)","type":"image"},{"url":"https://example.org/a.png","type":"image"}],
                     "llm_urls":[],"annotations":[],"plans":null,"fallback_model":null,"firstAttemptError":"","attempts":[],"user_id":"","guardrails":null,
                     "testcase_data":{"a":[1,2.50]},"is_playground":false,"batch_data":null}
                    """),
                kept),
            kept.ToJsonString());
    }

    [Fact]
    public void A_character_that_the_database_does_not_know_is_left_out_of_what_is_kept() => Assert.Equal(
        """{"a":"bc\\u0000"}""", Encoding.UTF8.GetString(StoredText.Json("""{"a":"b\u0000c\\u0000"}"""u8)));

    [Fact]
    public async Task A_thread_remembers_what_was_said_before()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"o3","prompt":"x"}}""");
        site.OpenAi.EnqueueFor("o3", ScriptedAnswer.Text("Blue."), ScriptedAnswer.Text("You asked for a colour."));

        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Name a colour","thread_id":"a"}""");
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"What did I ask?","thread_id":"a"}""");
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"And here?","thread_id":"b"}""");

        var requests = site.OpenAi.RequestsFor("o3");
        Assert.Equal(["Name a colour", "Blue.", "What did I ask?"], Said(requests[1].Json!));
        Assert.Equal(["And here?"], Said(requests[2].Json!));
    }

    [Fact]
    public async Task Tools_are_called_side_by_side_and_their_results_go_back_in_order()
    {
        var bothArrived = new TaskCompletionSource();
        var arrived = 0;
        foreach (var city in new[] { "weather", "clock" })
        {
            site.Tools.On(city, async context =>
            {
                if (Interlocked.Increment(ref arrived) == 2)
                {
                    bothArrived.SetResult();
                }
                await bothArrived.Task.WaitAsync(context.RequestAborted);
                await context.Response.Body.WriteAsync(
                    System.Text.Encoding.UTF8.GetBytes($$"""{"of":"{{city}}"}"""), context.RequestAborted);
            });
        }
        var weather = await site.ToolAsync("weather",
            """{"description":"The weather","fields":{"city":{"type":"string"},"user_id":{"type":"string"}},"required":["city","user_id"]}""");
        var clock = await site.ToolAsync(
            "clock", """{"description":"The time","fields":{"zone":{"type":"string","enum":[]}},"required_params":["zone"]}""");
        var agent = await site.AgentAsync($$$$"""
            {"service":"openai","configuration":{"model":"gpt-4o-mini","prompt":"x"},"function_ids":["{{{{weather}}}}","{{{{clock}}}}"],
             "variables_path":{"weather":{"user_id":"user.id"}}}
            """);
        site.OpenAi.EnqueueFor("gpt-4o-mini",
            ScriptedAnswer.ToolCalls(new("weather", """{"city":"Pune","user_id":"forged"}""", "call_a"),
                new("clock", """{"zone":"IST"}""", "call_b")).Saying("Let me look."),
            ScriptedAnswer.Text("Warm at noon."));

        var (status, body) = await site.RunAsync(
            $$$$"""{"bridge_id":"{{{{agent}}}}","user":"How is it?","variables":{"user":{"id":"u-7"}},"thread_id":"tools"}""");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("Warm at noon.", (string)body["response"]!["data"]!["content"]!);
        Assert.Equal("weather", (string)body["response"]!["data"]!["tools_data"]!["weather"]!["of"]!);
        var requests = site.OpenAi.RequestsFor("gpt-4o-mini");
        var function = requests[0].Json!["tools"]![0]!["function"]!;
        Assert.Equal(["city"], function["parameters"]!["properties"]!.AsObject().Select(property => property.Key));
        var messages = requests[1].Json!["messages"]!.AsArray();
        Assert.Equal("Let me look.", (string)messages[^3]!["content"]!);
        Assert.Equal(2, messages[^3]!["tool_calls"]!.AsArray().Count);
        Assert.Equal(("call_a", """{"of":"weather"}"""), ((string)messages[^2]!["tool_call_id"]!, (string)messages[^2]!["content"]!));
        Assert.Equal(("call_b", """{"of":"clock"}"""), ((string)messages[^1]!["tool_call_id"]!, (string)messages[^1]!["content"]!));
        Assert.Contains(site.Tools.Calls, call => call.Path == "/func/weather" && (string?)call.Body?["user_id"] == "u-7");
        var log = Assert.Single(await site.RowsAsync(agent)).Document["tools_call_data"]!.AsArray();
        Assert.Equal("clock", (string)log[0]!["call_b"]!["name"]!);
        Assert.Equal(1, (int)log[0]!["call_b"]!["data"]!["status"]!);
    }

    [Fact]
    public async Task After_the_last_round_of_tools_the_model_must_answer()
    {
        site.Tools.Answers("again", """{"ok":true}""");
        var again = await site.ToolAsync("again", """{"description":"Again","fields":{}}""");
        var agent = await site.AgentAsync($$$"""
            {"service":"openai","configuration":{"model":"gpt-4.1-mini","prompt":"x"},"function_ids":["{{{again}}}"],"settings":{"maximum_iterations":3}}
            """);
        site.OpenAi.EnqueueFor("gpt-4.1-mini", [.. Enumerable.Range(0, 4).Select(
            number => ScriptedAnswer.ToolCalls(new ScriptedCall("again", $$$"""{"n":{{{number}}}}"""))), ScriptedAnswer.Text("Enough.")]);

        var (_, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Go on"}""");

        Assert.Equal("Enough.", (string)body["response"]!["data"]!["content"]!);
        var requests = site.OpenAi.RequestsFor("gpt-4.1-mini");
        Assert.Equal(5, requests.Count);
        Assert.Equal("none", (string)requests[4].Json!["tool_choice"]!);
    }

    [Fact]
    public async Task A_stream_tells_each_step_and_ends_once()
    {
        site.Tools.Answers("look", """{"found":1}""");
        var look = await site.ToolAsync("look", """{"description":"Look","fields":{"what":{"type":"string"}}}""");
        var agent = await site.AgentAsync($$"""
            {"service":"openai","configuration":{"model":"gpt-5","prompt":"x"},"function_ids":["{{look}}"]}
            """);
        site.OpenAi.EnqueueFor("gpt-5", ScriptedAnswer.ToolCalls(new ScriptedCall("look", """{"what":"a"}""", "call_1")),
            ScriptedAnswer.Text("Found it, ünïcode too.").SplitBytes(1));

        var events = await site.StreamAsync($$"""{"bridge_id":"{{agent}}","user":"Look","stream":true}""");

        Assert.Equal("start", (string)events[0]["event"]!);
        Assert.Equal(agent, (string)events[0]["bridge_id"]!);
        var call = Assert.Single(events, step => (string?)step["event"] == "tool_call");
        Assert.Equal("a", (string)call["args"]!["what"]!);
        Assert.Equal("""{"found":1}""", (string)Assert.Single(events, step => (string?)step["event"] == "tool_result")["content"]!);
        Assert.Equal("Found it, ünïcode too.",
            string.Concat(events.Where(step => (string?)step["event"] == "delta").Select(step => (string)step["content"]!)));
        var end = Assert.Single(events, step => (string?)step["event"] is "done" or "error");
        Assert.Same(end, events[^1]);
        Assert.Equal("Found it, ünïcode too.", (string)end["response"]!["response"]!["data"]!["content"]!);
        Assert.Single(await site.RowsAsync(agent));
    }

    [Fact]
    public async Task A_failed_run_is_told_in_the_words_that_clients_take_apart_and_is_logged()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-5-mini","prompt":"x"}}""");
        site.OpenAi.EnqueueFor("gpt-5-mini", ScriptedAnswer.Error(500, """{"error":{"message":"boom","type":"server_error"}}"""));

        var (status, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.False((bool)body["success"]!);
        Assert.Equal("error occurs from openai api boom (Type: ProviderError). For more support contact us at support@gtwy.ai",
            (string)body["error"]!);
        var row = Assert.Single(await site.RowsAsync(agent));
        Assert.False(row.IsSuccess);
        Assert.Equal((string)body["message_id"]!, row.MessageId);
        Assert.Contains("boom", row.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_asks_for_real_statuses_gets_them()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-5-nano","prompt":"x"}}""");
        site.OpenAi.EnqueueFor("gpt-5-nano", ScriptedAnswer.Error(500));

        using var answer = await site.SendAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""", headers: ("x-gtwy-errors", "v2"));

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        Assert.True((bool)body["retryable"]!);
        Assert.Equal(answer.Headers.GetValues("x-request-id").Single(), (string)body["request_id"]!);
    }

    [Theory]
    [InlineData("""{"bridge_id":"000000000000000000000000","user":"x"}""", "bridge_id does not exist")]
    [InlineData("""{"user":"x"}""", "bridge_id does not exist")]
    [InlineData("""{"service":"nobody","configuration":{"model":"x"},"user":"x"}""", "model or service does not exist!")]
    [InlineData("""{"service":"groq","configuration":{"model":"llama-3.1-8b-instant"},"user":"x"}""",
        "Error in getting data: Could not find api key or Agent is not Published")]
    [InlineData("""{"bridge_id":"000000000000000000000000"}""", "User message is compulsory")]
    public async Task What_cannot_run_is_refused_in_the_known_words(string request, string error)
    {
        var (status, body) = await site.RunAsync(request);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.False((bool)body["detail"]!["success"]!);
        Assert.Equal(error, (string)body["detail"]!["error"]!);
    }

    [Fact]
    public async Task A_model_runs_without_an_agent()
    {
        var (status, body) =
            await site.RunAsync("""{"service":"demo","configuration":{"model":"demo","prompt":"Be nice"},"user":"Hello"}""");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.NotEmpty((string)body["response"]!["data"]!["content"]!);
    }

    private static List<string> Said(JsonObject request) =>
        [.. request["messages"]!.AsArray().Skip(1).Select(message => message!["content"]!.ToString())];
}
