using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Gateway.Runs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Agents;

/// <summary>What editors ask of the built-in agents, and the words in which an organization has these asked.</summary>
public sealed class HelpersTests(RunSite site) : IClassFixture<RunSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Prompts_are_worded_anew_read_and_set_back()
    {
        var usual = (string)(await DoAsync("GET", "/api/prebuilt_prompt/generate_summary"))["data"]!["generate_summary"]!;
        await DoAsync("PUT", "/api/prebuilt_prompt", """{"generate_summary":"Say it in French."}""");
        await DoAsync("PUT", "/api/prebuilt_prompt", """{"generate_summary":"Say it in Latin."}""");

        var all = (await DoAsync("GET", "/api/prebuilt_prompt"))["data"]!.AsObject();
        Assert.Equal(
            ["chatbot_suggestions", "generate_summary", "generate_test_cases",
                "gpt_memory", "optimze_prompt", "structured_output_optimizer"],
            all.Select(prompt => prompt.Key).Order(StringComparer.Ordinal));
        Assert.Equal("Say it in Latin.", (string?)all["generate_summary"]);

        await DoAsync("POST", "/api/prebuilt_prompt/reset", """{"prompt_id":"generate_summary"}""");
        Assert.Equal(usual, (string?)(await DoAsync("GET", "/api/prebuilt_prompt/generate_summary"))["data"]!["generate_summary"]);
        foreach (var (method, path, body) in new[]
        {
            ("PUT", "/api/prebuilt_prompt", """{"other":"x"}"""), ("PUT", "/api/prebuilt_prompt", "{}"),
            ("PUT", "/api/prebuilt_prompt", """{"gpt_memory":" "}"""),
            ("PUT", "/api/prebuilt_prompt", """{"gpt_memory":"a","generate_summary":"b"}"""), ("POST", "/api/prebuilt_prompt/reset", "{}"),
        })
        {
            Assert.Equal((HttpStatusCode.BadRequest, body), ((await SendAsync(method, path, body)).Status, body));
        }
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("GET", "/api/prebuilt_prompt/other", "")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("POST", "/api/prebuilt_prompt/reset", """{"prompt_id":"other"}""")).Status);
    }

    [Fact]
    public async Task The_built_in_agents_answer_the_editor_with_the_agents_model_and_the_organizations_words()
    {
        var agent = await site.AgentAsync(
            """{"service":"openai","configuration":{"model":"gpt-4.1-mini","prompt":{"role":"Porter","goal":"Help"}}}""");
        await DoAsync("PUT", "/api/prebuilt_prompt", """{"optimze_prompt":"Make it short."}""");
        site.OpenAi.EnqueueFor("gpt-4.1-mini", ScriptedAnswer.Text("You are a porter."),
            ScriptedAnswer.Text("""{"test_cases":[{"user":"Hi","expected":"Hello"}]}"""), ScriptedAnswer.Text("no JSON"));

        var better =
            await DoAsync("POST", "/api/utils/call-gtwy", $$"""{"type":"optimize_prompt","bridge_id":"{{agent}}","query":"shorter"}""");
        var cases = await DoAsync("POST", "/api/utils/call-gtwy", $$"""{"type":"generate_test_cases","bridge_id":"{{agent}}"}""");
        var (broken, _) = await SendAsync("POST", "/api/utils/call-gtwy", $$"""{"type":"generate_test_cases","bridge_id":"{{agent}}"}""");

        Assert.Equal("You are a porter.", (string?)better["result"]);
        Assert.Equal("Hello", (string?)cases["result"]!["test_cases"]![0]!["expected"]);
        Assert.Equal(HttpStatusCode.BadGateway, broken);
        var asked = site.OpenAi.RequestsFor("gpt-4.1-mini")[0].Json!["messages"]!.AsArray();
        Assert.Equal("Make it short.", (string?)asked[0]!["content"]);
        Assert.Contains("role: Porter", (string?)asked[1]!["content"], StringComparison.Ordinal);

        // Without an agent: the first service that there is a key for.
        site.OpenAi.EnqueueFor("gpt-5-nano", ScriptedAnswer.Text("""{"name":"city","schema":{"type":"object"},"strict":true}"""));
        var schema = await DoAsync("POST", "/api/utils/call-gtwy", """{"type":"structured_output","query":"A city and its country"}""");
        Assert.Equal("city", (string?)schema["result"]!["name"]);
    }

    [Fact]
    public async Task Templates_of_answers_are_made_changed_listed_and_deleted()
    {
        var made = (await DoAsync("POST", "/api/rich_ui_templates",
            """{"name":"card","template_format":{"kind":"card"},"ui":{"title":"x"},"unknown":1}"""))["data"]!;
        var id = (string)made["_id"]!;
        await DoAsync("PUT", $"/api/rich_ui_templates/{id}", """{"ui":{"title":"y"},"is_public":true,"description":"A card"}""");
        var shown = Assert.Single((await DoAsync("GET", "/api/rich_ui_templates"))["data"]!.AsArray(), one => (string?)one!["_id"] == id)!;

        Assert.Equal(("card", "card", "y", true, "A card"), (
            (string?)shown["name"], (string?)shown["template_format"]!["kind"],
            (string?)shown["ui"]!["title"], (bool)shown["is_public"]!, (string?)shown["description"]));
        Assert.Null(shown["unknown"]);
        foreach (var body in (string[])["""{"name":"card","template_format":{}}""", """{"name":"other"}""",
            """{"template_format":{}}""", """{"name":"other","template_format":[]}""", "[]"])
        {
            Assert.Equal((HttpStatusCode.BadRequest, body), ((await SendAsync("POST", "/api/rich_ui_templates", body)).Status, body));
        }
        await DoAsync("DELETE", $"/api/rich_ui_templates/{id}");
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("PUT", $"/api/rich_ui_templates/{id}", "{}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("DELETE", $"/api/rich_ui_templates/{id}", "")).Status);
    }

    [Fact]
    public async Task The_notes_of_a_conversation_are_read()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4o"}}""");
        await site.ExecuteAsync(
            "insert into gateway.threads (organization_id, agent_id, thread_id, sub_thread_id, created_at, updated_at, memory) values ($1, $2, 't', 's', now(), now(), 'Likes tea')",
            Stoa.Platform.Identity.Organization.DefaultId, agent);

        Assert.Equal("Likes tea", (string?)(await DoAsync("POST", "/api/utils/call-gtwy",
            $$"""{"type":"gpt_memory","bridge_id":"{{agent}}","thread_id":"t","sub_thread_id":"s"}"""))["result"]);
        Assert.Null((await DoAsync("POST", "/api/utils/call-gtwy",
            $$"""{"type":"gpt_memory","bridge_id":"{{agent}}","thread_id":"t","sub_thread_id":"other"}"""))["result"]);
    }

    [Theory]
    [InlineData("{}", 400)]
    [InlineData("""{"type":"other"}""", 400)]
    [InlineData("""{"type":"structured_output"}""", 400)]
    [InlineData("""{"type":"improve_prompt"}""", 400)]
    [InlineData("""{"type":"generate_json"}""", 400)]
    [InlineData("""{"type":"optimize_prompt"}""", 400)]
    [InlineData("""{"type":"optimize_prompt","bridge_id":"0123456789abcdef01234567"}""", 404)]
    [InlineData("""{"type":"generate_summary","version_id":"0123456789abcdef01234567"}""", 404)]
    [InlineData("""{"type":"gpt_memory","bridge_id":"0123456789abcdef01234567","thread_id":"t","sub_thread_id":"s"}""", 404)]
    [InlineData("""{"type":"improve_prompt","variables":{},"bridge_id":"0123456789abcdef01234567"}""", 404)]
    public async Task What_cannot_be_asked_is_refused(string body, int status) =>
        Assert.Equal((HttpStatusCode)status, (await SendAsync("POST", "/api/utils/call-gtwy", body)).Status);

    private async Task<JsonNode> DoAsync(string method, string path, string body = "")
    {
        var (status, answer) = await SendAsync(method, path, body);
        Assert.True(status == HttpStatusCode.OK, $"{method} {path}: {answer}");
        return JsonNode.Parse(answer)!;
    }

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(string method, string path, string body)
    {
        using var request = new HttpRequestMessage(new(method), path);
        request.Headers.Add("pauthkey", "stoa-dev");
        if (body.Length > 0)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Ct));
    }
}
