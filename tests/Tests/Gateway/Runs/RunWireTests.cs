using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

public sealed class ResponsesRunSite : RunSite
{
    protected override bool HasResponses => true;
}

/// <summary>By which of OpenAI's APIs agents ask: <c>openai</c> is the Responses API, <c>openai_completion</c> chat completions.</summary>
public sealed class RunWireTests(ResponsesRunSite site) : IClassFixture<ResponsesRunSite>
{
    [Fact]
    public async Task An_agent_on_openai_remembers_and_calls_its_tools_by_the_responses_api()
    {
        site.Tools.Answers("wire_weather", """{"temp":21}""");
        var tool = await site.ToolAsync(
            "wire_weather", """{"description":"The weather","fields":{"city":{"type":"string"}},"required":["city"]}""");
        var agent = await site.AgentAsync($$"""
            {"service":"openai","configuration":{"model":"gpt-4o","prompt":"You help.","response_type":"text","max_tokens":50},"function_ids":["{{tool}}"]}
            """);
        site.OpenAi.EnqueueFor("gpt-4o",
            ScriptedAnswer.ToolCalls(new ScriptedCall("wire_weather", """{"city":"Pune"}""")),
            ScriptedAnswer.Text("21 degrees.").WithUsage(new(30, 4)));

        var (_, first) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Weather in Pune?","thread_id":"w"}""");
        var streamed = await site.StreamAsync($$"""{"bridge_id":"{{agent}}","user":"Again?","thread_id":"w","stream":true}""");

        var asked = site.OpenAi.RequestsFor("gpt-4o");
        Assert.Equal(3, asked.Count);
        Assert.All(asked, request => Assert.Equal(("/v1/responses", false), (request.Path, (bool)request.Json!["store"]!)));
        Assert.Equal(50, (int)asked[0].Json!["max_output_tokens"]!);
        Assert.Equal(["function_call", "function_call_output"], TypesOf(asked[1]).TakeLast(2));
        Assert.Contains("You help.", asked[0].Json!.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("21 degrees.", asked[2].Json!["input"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(("21 degrees.", 21),
            ((string?)first["response"]!["data"]!["content"], (int)first["response"]!["data"]!["tools_data"]!["wire_weather"]!["temp"]!));
        Assert.Equal("You said: Again?",
            string.Concat(streamed.Where(step => (string?)step["event"] == "delta").Select(step => (string?)step["content"])));
        Assert.Equal("done", (string?)streamed[^1]["event"]);
    }

    [Fact]
    public async Task An_agent_on_openai_completion_asks_by_chat_completions()
    {
        var agent = await site.AgentAsync(
            """{"service":"openai_completion","configuration":{"model":"gpt-4o-mini","response_type":"text"}}""");
        var (_, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""");
        Assert.Equal("You said: Hi", (string?)body["response"]!["data"]!["content"]);
        Assert.Equal("/v1/chat/completions", Assert.Single(site.OpenAi.RequestsFor("gpt-4o-mini")).Path);
    }

    private static IEnumerable<string?> TypesOf(ScriptedRequest request) =>
        request.Json!["input"]!.AsArray().Select(item => (string?)item!["type"]);
}
