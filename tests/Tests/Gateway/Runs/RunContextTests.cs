using System.IO.Compression;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Accounts;
using Stoa.Platform.Identity;
using Stoa.Platform.Privacy;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>
/// What a run takes from around it: the organization, earlier turns, the provider's own tools; and whom it tells of itself.
/// </summary>
public sealed class RunContextTests(RunSite site) : IClassFixture<RunSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_prompt_tells_the_time_of_the_organizations_zone()
    {
        await site.ExecuteAsync(
            """
            insert into gateway.organization_settings (organization_id, document) values ($1, '{"timezone":"Asia/Tokyo"}')
            on conflict (organization_id) do update set document = excluded.document
            """,
            Organization.DefaultId);
        var agent = await site.AgentAsync("""{"service":"demo","configuration":{"model":"demo","prompt":"Hello"}}""");

        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""");

        var row = Assert.Single(await site.RowsAsync(agent));
        Assert.EndsWith("(Asia/Tokyo)", (string)row.Document["prompt"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_picture_is_still_there_when_the_conversation_goes_on()
    {
        var agent = await site.AgentAsync(
            """{"service":"anthropic","configuration":{"model":"claude-sonnet-4-5","prompt":"x","response_type":"text"}}""");

        await site.RunAsync(
            $$"""{"bridge_id":"{{agent}}","user":"What is this?","thread_id":"p","images":["https://example.com/tide.png"]}""");
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"And its colour?","thread_id":"p"}""");

        var question = site.Anthropic.RequestsFor("claude-sonnet-4-5")[^1].Json!["messages"]![0]!;
        var picture = question["content"]!.AsArray().Single(part => (string)part!["type"]! == "image")!;
        Assert.Equal("https://example.com/tide.png", (string)picture["source"]!["url"]!);
    }

    [Fact]
    public async Task A_provider_that_searches_the_web_is_asked_to()
    {
        var agent = await site.AgentAsync("""
            {"service":"anthropic","configuration":{"model":"claude-haiku-4-5","prompt":"x","response_type":"text"},"built_in_tools":["web_search"],
             "web_search_filters":["example.com"]}
            """);

        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"News?"}""");

        var tool = Assert.Single(site.Anthropic.RequestsFor("claude-haiku-4-5")[^1].Json!["tools"]!.AsArray());
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"type":"web_search_20250305","name":"web_search","allowed_domains":["example.com"]}"""), tool));
    }

    [Fact]
    public async Task What_the_provider_cites_stands_in_the_answer_in_its_repetition_and_in_the_history()
    {
        var agent = await site.AgentAsync(
            """{"service":"openai","configuration":{"model":"gpt-4.1","prompt":"x","response_type":"text"},"cache_on":true}""");
        site.OpenAi.EnqueueFor("gpt-4.1", ScriptedAnswer.Error(200, """
            {"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4.1","usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2},
             "choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"High tide.","annotations":[
               {"type":"url_citation","url_citation":{"url":"https://example.com/tides","title":"Tides","start_index":0,"end_index":10} }]} }]}
            """));
        var expected = JsonNode.Parse(
            """[{"type":"url_citation","url":"https://example.com/tides","title":"Tides","start_index":0,"end_index":10}]""");

        for (var time = 0; time < 2; time++)
        {
            var (_, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"When?"}""");
            Assert.True(JsonNode.DeepEquals(expected, body["response"]!["data"]!["annotations"]), body.ToJsonString());
            Assert.Equal(time == 1, (bool)body["response"]!["data"]!["is_cached"]!);
        }
        var (_, history) = await site.GetAsync($"/api/history/{agent}");
        Assert.DoesNotContain("\"annotations\":[]", history.ToJsonString(), StringComparison.Ordinal);
        Assert.All(await site.RowsAsync(agent), row => Assert.True(JsonNode.DeepEquals(expected, row.Document["annotations"])));
    }

    [Theory]
    [InlineData("/v1/chat/completions", "\"start_index\":0,\"end_index\":10,\"url\":\"https://example.com/tides\"")]
    [InlineData("/v1/responses", "\"start_index\":0,\"end_index\":10,\"url\":\"https://example.com/tides\"")]
    [InlineData("/v1/messages", "\"type\":\"web_search_result_location\",\"url\":\"https://example.com/tides\"")]
    public async Task What_an_agents_provider_cites_is_told_to_clients_of_model_apis(string path, string told)
    {
        const string Model = "gpt-4.1-mini";
        var agent = await site.AgentAsync(
            $$"""{"service":"openai","configuration":{"model":"{{Model}}","prompt":"{{path}}","response_type":"text"},"cache_on":true}""");
        site.OpenAi.EnqueueFor(Model, ScriptedAnswer.Error(200, """
            {"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4.1-mini","usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2},
             "choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"High tide.","annotations":[
               {"type":"url_citation","url_citation":{"url":"https://example.com/tides","title":"Tides","start_index":0,"end_index":10} }]} }]}
            """));
        var question = path == "/v1/responses"
            ? $$"""{"model":"agent:{{agent}}","input":"When?" """
            : $$"""{"model":"agent:{{agent}}","max_tokens":100,"messages":[{"role":"user","content":"When?"}] """;

        using var whole = await site.SendAsync(question + "}", path, ("Authorization", "Bearer stoa-dev"));
        // The same answer, out of the cache.
        using var streamed = await site.SendAsync(question + ",\"stream\":true}", path, ("Authorization", "Bearer stoa-dev"));

        Assert.Contains(told, await whole.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        var events = await streamed.Content.ReadAsStringAsync(Ct);
        Assert.Contains(told, events, StringComparison.Ordinal);
        Assert.DoesNotContain("error", events.Replace("\"error\":null", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cheapest_of_the_models_answers_where_the_agent_says_so()
    {
        var agent = await site.AgentAsync("""
            {"service":"openai","configuration":{"model":"gpt-4o","prompt":"x","response_type":"text"},
             "auto_model_select":{"enabled":true,"models":["gpt-4.1-mini",{"service":"anthropic","model":"claude-opus-4-1"},"of nobody"],"objective":"cost"}}
            """);

        var (_, cheap) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""");
        await site.RunAsync(
            $$"""{"bridge_id":"{{agent}}","user":"Hi","auto_model_select":{"enabled":true,"models":["gpt-4.1-mini",{"service":"anthropic","model":"claude-opus-4-1"}],"objective":"quality"} }""");
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi","configuration":{"model":"gpt-4o"} }""");

        Assert.True((bool)cheap["success"]!, cheap.ToJsonString());
        Assert.Equal(["gpt-4.1-mini", "claude-opus-4-1", "gpt-4o"], (await site.RowsAsync(agent)).Select(row => row.Model));
    }

    [Fact]
    public async Task What_a_person_has_run_is_handed_out_and_goes_with_him()
    {
        var agent = await site.AgentAsync("""{"service":"demo","configuration":{"model":"demo","prompt":"Hello"}}""");
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"A secret wish"}""");
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Of nobody"}""");
        var person = Guid.CreateVersion7();
        var wish = (await site.RowsAsync(agent))[0];
        await site.ExecuteAsync(
            "update gateway.runs set document = document || jsonb_build_object('user_id', $2::text) where id = $1", wish.Id, $"{person}");
        await using var scope = site.Host.Services.CreateAsyncScope();
        var data = scope.ServiceProvider.GetServices<IPersonalData>().OfType<AccountData>().Single();

        await using var output = new MemoryStream();
        await using (var zip = await ZipArchive.CreateAsync(output, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, Ct))
        {
            await data.ExportAsync(person, new(zip, data.Name), Ct);
        }
        await data.EraseAsync(person, Ct);

        await using var read = new ZipArchive(output);
        using var runs = new StreamReader(await read.GetEntry("gateway/runs.json")!.OpenAsync(Ct));
        var row = Assert.Single(JsonNode.Parse(await runs.ReadToEndAsync(Ct))!.AsArray());
        Assert.Equal("A secret wish", (string)row!["user"]!);
        Assert.Equal("Of nobody", Assert.Single(await site.RowsAsync(agent)).UserMessage);
    }

    [Fact]
    public async Task A_thumb_down_and_a_passed_limit_are_told_once()
    {
        var agent = await site.AgentAsync("""{"service":"demo","configuration":{"model":"demo","prompt":"Hello"}}""");
        await AlertAsync("thumbs", "thumbsdown", agent, limit: null);
        await AlertAsync("limit", "metrix_limit_reached", agent, limit: 5);
        var (_, answer) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""");
        var message = (string)answer["response"]!["data"]!["message_id"]!;

        using var first = await FeedbackAsync(message);
        using var again = await FeedbackAsync(message);
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""");
        while (Told("limit").Count == 0 || Told("thumbs").Count == 0)
        {
            await site.Host.RunJobsAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, again.StatusCode));
        var thumb = Assert.Single(Told("thumbs"));
        Assert.Equal(
            ("Thumbs down on response", agent), ((string)thumb["error"]!["details"]!["alert"]!, (string)thumb["error"]!["bridge_id"]!));
        Assert.Equal(5, (int)Assert.Single(Told("limit"))["error"]!["details"]!["Limit Size"]!);
    }

    private List<JsonNode> Told(string alert) =>
        [.. site.Tools.Calls.Where(call => call.Path == $"/alerts/{alert}").Select(call => call.Body!)];

    private async Task<HttpResponseMessage> FeedbackAsync(string message)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/api/v1/config/status/2")
        {
            Content = new StringContent($$"""{"message_id":"{{message}}"}""", System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("pauthkey", "stoa-dev");
        return await site.Host.Client.SendAsync(request, Ct);
    }

    private async Task AlertAsync(string name, string type, string agent, int? limit)
    {
        var (status, body) = await site.RunAsync(
            new JsonObject
            {
                ["webhookConfiguration"] =
                    new JsonObject { ["url"] = $"{site.Tools.Address}/alerts/{name}", ["headers"] = new JsonObject() },
                ["name"] = name, ["bridges"] = new JsonArray(agent), ["alertType"] = new JsonArray(type), ["limit"] = limit,
            }.ToJsonString(),
            "/api/alerting");
        Assert.True(status == HttpStatusCode.Created, body.ToJsonString());
    }
}
