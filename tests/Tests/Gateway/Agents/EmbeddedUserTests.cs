namespace Stoa.Tests.Gateway.Agents;

/// <summary>Users of a site that embeds a folder: outside of it there is nothing for them.</summary>
public sealed class EmbeddedUserTests(ManagementSite site) : IClassFixture<ManagementSite>
{
    [Fact]
    public async Task Whoever_is_confined_to_a_folder_neither_runs_nor_sees_what_is_outside()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync();
        var stranger = site.User(admin.Org, "editor", folder: "6b023ee34c39ab307795396c");
        var ran = await admin.DoAsync("POST", "/api/v2/model/chat/completion", Run(agent, version));
        var message = (string)ran["response"]!["data"]!["message_id"]!;
        var made = await admin.DoAsync("POST", "/api/testcases/create", $$$"""
            {"bridge_id":"{{{agent}}}","type":"response","expected":{"response":"x"},"matching_type":"exact","name":"one"}
            """);
        await admin.DoAsync(
            "POST", "/api/alerting", """{"name":"all","webhookConfiguration":{"url":"https://example.org"},"alertType":["Error"]}""");

        (string Method, string Path, string? Body)[] asked =
        [
            ("POST", "/api/v2/model/chat/completion", Run(agent, version)),
            ("POST", "/api/v2/model/testcases", $$"""{"bridge_id":"{{agent}}","version_id":"{{version}}"}"""),
            ("GET", $"/api/history/{agent}", null),
            ("GET", $"/api/history/{agent}/t/t", null),
            ("GET", $"/api/history/recursive/{agent}/t/{message}", null),
            ("GET", $"/api/history/message/testcase/history/message_id/{message}", null),
            ("POST", "/api/report/message-data", $$"""{"message_id":"{{message}}"}"""),
            ("GET", $"/api/v1/config/history/sub-thread/t?bridge_id={agent}", null),
            ("PUT", $"/api/v1/config/gethistory/{agent}", """{"id":1,"message":"x"}"""),
            ("PUT", "/api/v1/config/status/1", $$"""{"message_id":"{{message}}"}"""),
            ("GET", $"/api/testcases/{agent}", null),
            ("DELETE", $"/api/testcases/{(string)made["data"]!["_id"]!}", null),
            ("GET", $"/api/analytics/agent/{agent}", null),
            ("GET", $"/api/analytics/agent/{agent}/filters", null),
            ("POST", "/api/alerting", """{"name":"own","webhookConfiguration":{"url":"https://example.org"},"alertType":["Error"]}"""),
        ];

        foreach (var (method, path, body) in asked)
        {
            var (status, answer) = await stranger.SendAsync(method, path, body);
            Assert.True(status is 400 or 403 or 404, $"{method} {path}: {status} {answer.ToJsonString()}");
        }
        Assert.Empty((await stranger.DoAsync("GET", "/api/alerting"))["data"]!.AsArray());
        Assert.Empty((await stranger.DoAsync("GET", "/api/thread/t"))["threads"]!.AsArray());
        Assert.NotEmpty((await admin.DoAsync("GET", "/api/thread/t"))["threads"]!.AsArray());
        Assert.NotEmpty((await admin.DoAsync("GET", $"/api/history/{agent}"))["data"]!.AsArray());
    }

    [Theory]
    [InlineData("POST", "/api/folder", """{"name":"Own"}""")]
    [InlineData("POST", "/api/prompt_wrappers", """{"name":"Own","template":"{{system_prompt}}"}""")]
    [InlineData("POST", "/api/rich_ui_templates", """{"name":"Own","template_format":{}}""")]
    [InlineData("PUT", "/api/prebuilt_prompt", """{"gpt_memory":"Own"}""")]
    [InlineData("POST", "/api/prebuilt_prompt/reset", """{"prompt_id":"gpt_memory"}""")]
    public async Task What_the_whole_organization_uses_is_not_changed_by_whoever_is_confined_to_a_folder(
        string method, string path, string body)
    {
        var admin = site.Admin();
        var folder = (string)(await admin.DoAsync("POST", "/api/folder", """{"name":"Theirs"}"""))["data"]!["_id"]!;

        var (status, answer) = await site.User(admin.Org, "editor", folder: folder).SendAsync(method, path, body);

        Assert.Equal((403, "You don't have access"), (status, (string?)answer["message"]));
        await admin.DoAsync(method, path, body);
    }

    private static string Run(string agent, string version) =>
        $$"""{"bridge_id":"{{agent}}","version_id":"{{version}}","user":"Hi","thread_id":"t"}""";
}
