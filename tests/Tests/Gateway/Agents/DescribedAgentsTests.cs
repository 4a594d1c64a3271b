using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Gateway.Runs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Agents;

/// <summary>What an agent's own model writes of it after it was made or published.</summary>
public sealed class DescribedAgentsTests(DescribedAgentsTests.DescribedSite site) : IClassFixture<DescribedAgentsTests.DescribedSite>
{
    private const string Said = """
        {"summary":"Answers guests of a hotel.","questions":["When is breakfast?","May I bring a dog?","Where do I park?"],"score":130,"criteria":{"role":true,"limits":false}}
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_published_gets_questions_a_score_and_a_summary()
    {
        var (agent, version) = await MadeAsync("gpt-4.1");
        site.OpenAi.EnqueueFor("gpt-4.1", ScriptedAnswer.Text(Said));

        await DoAsync("POST", $"/api/versions/publish/{version}");
        await site.Host.RunJobsAsync();
        var first = await AgentAsync(agent);

        Assert.Equal(["When is breakfast?", "May I bring a dog?", "Where do I park?"],
            first["starterQuestion"]!.AsArray().Select(text => (string?)text));
        Assert.Equal((100, true),
            ((int)first["ai_updates"]!["prompt_enhancer_percentage"]!, (bool)first["ai_updates"]!["criteria_check"]!["role"]!));
        Assert.Equal("Answers guests of a hotel.", (string?)first["bridge_summary"]);
        Assert.Contains("You are the porter",
            site.OpenAi.RequestsFor("gpt-4.1")[^1].Json!["messages"]!.AsArray()[^1]!.ToJsonString(), StringComparison.Ordinal);

        // Its summary stays unless a new one is wanted; the questions of an earlier version are made anew.
        site.OpenAi.EnqueueFor("gpt-4.1", ScriptedAnswer.Text("""{"summary":"Other","questions":["Who are you?"],"score":"50"}"""));
        await DoAsync("POST", $"/api/versions/publish/{version}");
        await site.Host.RunJobsAsync();
        var second = await AgentAsync(agent);
        Assert.Equal((50, "Answers guests of a hotel.", "Who are you?"), (
            (int)second["ai_updates"]!["prompt_enhancer_percentage"]!, (string?)second["bridge_summary"],
            (string?)Assert.Single(second["starterQuestion"]!.AsArray())));

        site.OpenAi.EnqueueFor("gpt-4.1", ScriptedAnswer.Text("""{"summary":"Other","questions":["What else?"]}"""));
        await DoAsync("PUT", $"/api/versions/{version}", """{"starterQuestion":["Mine?"]}""");
        await DoAsync("POST", $"/api/versions/publish/{version}", """{"generate_summary":true}""");
        await site.Host.RunJobsAsync();
        var third = await AgentAsync(agent);
        Assert.Equal(("Other", "Mine?"), ((string?)third["bridge_summary"], (string?)Assert.Single(third["starterQuestion"]!.AsArray())));
    }

    [Fact]
    public async Task Nothing_is_written_of_nonsense_of_an_empty_prompt_or_of_a_version_that_was_replaced()
    {
        var (agent, version) = await MadeAsync("gpt-4o", """{"role":"","goal":" "}""");
        var asked = site.OpenAi.RequestsFor("gpt-4o").Count;
        await DoAsync("POST", $"/api/versions/publish/{version}");
        await site.Host.RunJobsAsync();
        Assert.Equal(asked, site.OpenAi.RequestsFor("gpt-4o").Count);

        site.OpenAi.EnqueueFor("gpt-4o", ScriptedAnswer.Text("I would rather not."));
        await DoAsync("PUT", $"/api/versions/{version}", """{"configuration":{"prompt":"You are the porter."}}""");
        await DoAsync("POST", $"/api/versions/publish/{version}");
        await site.Host.RunJobsAsync();
        var shown = await AgentAsync(agent);
        Assert.Null(shown["bridge_summary"]);
        Assert.Empty(shown["starterQuestion"]!.AsArray());
    }

    [Fact]
    public async Task A_new_agents_prompt_is_written_after_its_purpose()
    {
        site.OpenAi.EnqueueFor(
            "gpt-5-nano", ScriptedAnswer.Text("""{"name":"Porter","role":"A porter","goal":"Help guests","instruction":"Be brief."}"""));
        var made = (await DoAsync("POST", "/api/agent", """{"purpose":"Answers guests of a hotel","flag":true}"""))["agent"]!;
        var id = (string)made["_id"]!;
        await site.Host.RunJobsAsync();

        var agent = await AgentAsync(id);
        var version = (await DoAsync("GET", $"/api/versions/{(string)made["versions"]![0]!}"))["agent"]!;
        Assert.Equal(("Porter", "Answers guests of a hotel"), ((string?)agent["name"], (string?)agent["bridge_summary"]));
        Assert.Equal(("A porter", "Help guests", "Be brief."), (
            (string?)version["configuration"]!["prompt"]!["role"], (string?)version["configuration"]!["prompt"]!["goal"],
            (string?)version["configuration"]!["prompt"]!["instruction"]));
        Assert.Equal("A porter", (string?)agent["configuration"]!["prompt"]!["role"]);
        Assert.NotNull((string?)version["configuration"]!["system_prompt_version_id"]);
    }

    private async Task<(string Agent, string Version)> MadeAsync(string model, string prompt = "\"You are the porter of a hotel.\"")
    {
        var made = (await DoAsync("POST", "/api/agent", """{"flag":true}"""))["agent"]!;
        var version = (string)made["versions"]![0]!;
        await DoAsync("PUT", $"/api/versions/{version}",
            $$$"""{"service":"openai","configuration":{"model":"{{{model}}}","prompt":{{{prompt}}},"response_type":"text"}}""");
        return ((string)made["_id"]!, version);
    }

    private async Task<JsonNode> AgentAsync(string id) => (await DoAsync("GET", $"/api/agent/{id}"))["agent"]!;

    private async Task<JsonNode> DoAsync(string method, string path, string body = "{}")
    {
        using var request = new HttpRequestMessage(new(method), path);
        request.Headers.Add("pauthkey", "stoa-dev");
        if (method != "GET")
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{method} {path}: {text}");
        return JsonNode.Parse(text)!;
    }

    public sealed class DescribedSite : RunSite
    {
        protected override void Configure(Dictionary<string, string?> settings) => settings["Gateway:DescribeAgents"] = "true";
    }
}
