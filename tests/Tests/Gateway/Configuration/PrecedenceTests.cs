using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Stoa.Tests.Gateway.Runs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Configuration;

/// <summary>Whose word counts where several say how an agent is to run, on every host.</summary>
public sealed class PrecedenceTests(RunSite site) : IClassFixture<RunSite>
{
    private const string Model = "gpt-4o-mini";
    private const string Run = "/api/v2/model/chat/completion";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_request_goes_before_the_environment_that_before_what_is_published_and_that_before_the_defaults()
    {
        var agent = await site.AgentAsync(
            $$"""{"service":"openai","configuration":{"model":"{{Model}}","max_tokens":100,"response_type":"text"},"settings":{} }""");
        var published = (string)(await DoAsync(site.Host, "GET", $"/api/agent/{agent}"))["agent"]!["published_version_id"]!;
        var other = (string)(await DoAsync(site.Host, "POST", "/api/versions", $$"""{"version_id":"{{published}}"}"""))["version_id"]!;
        await DoAsync(site.Host, "PUT", $"/api/versions/{other}", """{"configuration":{"max_tokens":200}}""");
        await DoAsync(
            site.Host, "PUT", $"/api/agent/{agent}", $$"""{"settings":{"environment_config":{"staging":{"version_id":"{{other}}"} } } }""");
        await Patience.UntilAsync(
            async () => await MostAsync(site.Host, agent, ""","environment":"staging" """) == 200, () => "The environment is not known");

        Assert.Equal(100, await MostAsync(site.Host, agent));
        Assert.Equal(100, await MostAsync(site.Host, agent, ""","environment":"nowhere" """));
        Assert.Equal(300, await MostAsync(site.Host, agent, ""","environment":"staging","configuration":{"max_tokens":300}"""));
        Assert.Equal(100, await MostAsync(site.Host, agent, $$""","environment":"staging","version_id":"{{published}}" """));
        var plain = await site.AgentAsync($$"""{"service":"openai","configuration":{"model":"{{Model}}","response_type":"text"} }""");
        Assert.Null(await MostAsync(site.Host, plain));

        // Another host hears of what is stored, and says the same.
        await using var second = await HostUnderTest.StartAsync(new()
        {
            ["ConnectionStrings:Stoa"] = site.Host.ConnectionString,
            ["Gateway:Providers:openai:Kind"] = "openai",
            ["Gateway:Providers:openai:BaseUrl"] = new Uri(site.OpenAi.BaseAddress, "/v1").ToString(),
            ["Gateway:Providers:openai:ApiKey"] = site.OpenAi.Key,
            ["Gateway:Providers:openai:HasResponses"] = "false",
        });
        Assert.Equal(100, await MostAsync(second, agent));
        await DoAsync(site.Host, "PUT", $"/api/versions/{published}", """{"configuration":{"max_tokens":150}}""");
        await DoAsync(site.Host, "POST", $"/api/versions/publish/{published}");
        await Patience.UntilAsync(async () => await MostAsync(second, agent) == 150, () => "The second host runs what was");
        Assert.Equal(200, await MostAsync(second, agent, ""","environment":"staging" """));
    }

    [Fact]
    public async Task The_environment_of_the_process_goes_before_what_is_stored_and_that_before_what_is_known()
    {
        await DoAsync(site.Host, "POST", "/api/models", """
            {"service":"openai","model_name":"own-model","status":1,"configuration":{"model":{"default":"own-model"}},"outputConfig":{},"validationConfig":{} }
            """);
        var stored = await AgentOfAsync("own-model");
        var known = await AgentOfAsync("gpt-4o");
        var listed = await AgentOfAsync(Model);
        foreach (var agent in (string[])[stored, known, listed])
        {
            await DoAsync(site.Host, "POST", Run, $$"""{"bridge_id":"{{agent}}","user":"Hi"}""");
        }
        await using var kept =
            await HostProcess.StartAsync(new Dictionary<string, string?>(HostProcess.ProviderSettings("openai", "openai", site.OpenAi))
        {
            ["ConnectionStrings__Stoa"] = site.Host.ConnectionString,
            ["Gateway__Providers__openai__HasResponses"] = "false",
            ["Gateway__Providers__openai__Models__0"] = Model,
            ["Gateway__DescribeAgents"] = "false",
        });
        using var client = kept.CreateClient();

        await DoAsync(client, "POST", Run, $$"""{"bridge_id":"{{listed}}","user":"Hi"}""");
        foreach (var agent in (string[])[stored, known])
        {
            var refused = await DoAsync(client, "POST", Run, $$"""{"bridge_id":"{{agent}}","user":"Hi"}""", HttpStatusCode.BadRequest);
            Assert.Equal("model or service does not exist!", (string?)refused["detail"]!["error"]);
        }
        var models = (await DoAsync(client, "GET", "/api/service/openai"))["chat"]!.AsObject();
        Assert.Equal([Model], models.Select(model => model.Key));
        var made = await DoAsync(client, "POST", "/api/agent", """{"name":"New","flag":true}""");
        Assert.Equal(Model, (string?)made["agent"]!["configuration"]!["model"]);
        await DoAsync(client, "DELETE", "/api/models?service=openai&model_name=own-model", expected: HttpStatusCode.BadRequest);
        await DoAsync(client, "DELETE", $"/api/agent/{stored}");
        await DoAsync(client, "DELETE", "/api/models?service=openai&model_name=own-model");
        await DoAsync(client, "DELETE", "/api/models?service=openai&model_name=own-model", expected: HttpStatusCode.NotFound);
        await DoAsync(
            client, "POST", "/api/models",
            """{"service":"openai","model_name":"another","status":1,"configuration":{},"outputConfig":{},"validationConfig":{} }""",
            HttpStatusCode.BadRequest);
    }

    private Task<string> AgentOfAsync(string model) =>
        site.AgentAsync($$"""{"service":"openai","configuration":{"model":"{{model}}","response_type":"text"},"settings":{} }""");

    /// <summary>How long an answer the model was asked for; null where nothing was said.</summary>
    private async Task<int?> MostAsync(HostUnderTest host, string agent, string more = "")
    {
        await DoAsync(host, "POST", Run, $$"""{"bridge_id":"{{agent}}","user":"Hi"{{more}}}""");
        var asked = site.OpenAi.RequestsFor(Model)[^1].Json!;
        return (int?)(asked["max_completion_tokens"] ?? asked["max_tokens"]);
    }

    private static Task<JsonNode> DoAsync(HostUnderTest host, string method, string path, string body = "{}") =>
        DoAsync(host.Client, method, path, body);

    private static async Task<JsonNode> DoAsync(
        HttpClient client, string method, string path, string body = "{}", HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var request = new HttpRequestMessage(new(method), path);
        request.Headers.Add("pauthkey", "stoa-dev");
        if (method != "GET")
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }
        using var answer = await client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode == expected, $"{method} {path}: {text}");
        return JsonNode.Parse(text)!;
    }
}
