using System.Net;

namespace Stoa.Tests.Gateway;

/// <summary>What an organization keeps beside its agents: alerts, test cases, named conversations.</summary>
public sealed class AlertAndTestCaseTests(GtwyHost host) : IClassFixture<GtwyHost>
{
    [Fact]
    public async Task An_alert_is_made_changed_listed_and_deleted_by_its_organization_only()
    {
        var (created, made) = await host.SendAsync("POST", "/api/alerting", Alert("first"));
        var id = (string)made!["data"]!["_id"]!;
        var (twice, _) = await host.SendAsync("POST", "/api/alerting", Alert("first"));
        var (stolen, _) = await host.SendAsync("PUT", $"/api/alerting/{id}", new { name = "mine" }, asOther: true);
        var (changed, after) = await host.SendAsync("PUT", $"/api/alerting/{id}", new { limit = 5 });
        var (_, listed) = await host.SendAsync("GET", "/api/alerting");
        var (_, foreign) = await host.SendAsync("GET", "/api/alerting", asOther: true);
        var (strange, _) = await host.SendAsync("DELETE", "/api/alerting", new { id }, asOther: true);
        var (deleted, _) = await host.SendAsync("DELETE", "/api/alerting", new { id });
        var (gone, _) = await host.SendAsync("DELETE", "/api/alerting", new { id });

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.BadRequest), (created, twice));
        Assert.Equal("all", (string?)made["data"]!["bridges"]![0]);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.OK), (stolen, changed));
        Assert.Equal(("first", 5), ((string?)after!["data"]!["name"], (int)after["data"]!["limit"]!));
        Assert.Contains(listed!["data"]!.AsArray(), alert => (string?)alert!["_id"] == id);
        Assert.Empty(foreign!["data"]!.AsArray());
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.OK, HttpStatusCode.NotFound), (strange, deleted, gone));
    }

    [Theory]
    [InlineData("""{"name":"x","webhookConfiguration":{"url":"http://127.0.0.1/"},"alertType":["Error"]}""")]
    [InlineData("""{"name":"x","webhookConfiguration":{"url":"file:///etc/passwd"},"alertType":["Error"]}""")]
    [InlineData("""{"name":"x","webhookConfiguration":{"url":"https://example.org","headers":1},"alertType":["Error"]}""")]
    [InlineData("""{"name":"x","webhookConfiguration":{"url":"https://example.org"},"alertType":["Everything"]}""")]
    [InlineData("""{"name":"x","webhookConfiguration":{"url":"https://example.org"},"alertType":[]}""")]
    [InlineData("""{"name":"","webhookConfiguration":{"url":"https://example.org"},"alertType":["Error"]}""")]
    [InlineData("""{"name":"x\u0000","webhookConfiguration":{"url":"https://example.org"},"alertType":["Error"]}""")]
    [InlineData("""{"name":"x","webhookConfiguration":{"url":"https://example.org","note":"\u0000"},"alertType":["Error"]}""")]
    [InlineData("""{"name":"x","webhookConfiguration":{"url":"https://example.org","note":"\ud800"},"alertType":["Error"]}""")]
    [InlineData("""{"name":"x","webhookConfiguration":{"url":"https://example.org"},"alertType":["Error"],"bridges":["not an id"]}""")]
    [InlineData("""{"name":1}""")]
    [InlineData("[]")]
    public async Task A_wrong_alert_is_refused_and_not_kept(string body)
    {
        var (_, before) = await host.SendAsync("GET", "/api/alerting");
        var (status, answer) = await host.SendAsync("POST", "/api/alerting", body);
        var (_, after) = await host.SendAsync("GET", "/api/alerting");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.False((bool)answer!["success"]!);
        Assert.Equal(before!.ToJsonString(), after!.ToJsonString());
    }

    [Fact]
    public async Task Test_cases_are_made_found_changed_and_deleted()
    {
        var agent = await host.AddAgentAsync();
        var other = await host.AddAgentAsync(host.OtherId);

        var (created, made) = await host.SendAsync("POST", "/api/testcases/create", Case(agent, "alpha"));
        await host.SendAsync("POST", "/api/testcases/create", Case(agent, "beta"));
        var id = (string)made!["data"]!["_id"]!;
        var (foreign, _) = await host.SendAsync("POST", "/api/testcases/create", Case(other, "gamma"));
        var (changed, _) = await host.SendAsync(
            "PUT", $"/api/testcases/{id}", new { type = "response", expected = new { response = "5" }, matching_type = "cosine" });
        var (_, found) = await host.SendAsync("GET", $"/api/testcases/{agent}?keyword=ALPH");
        var (stolen, _) = await host.SendAsync("DELETE", $"/api/testcases/{id}", null, asOther: true);
        var (_, gone) = await host.SendAsync("DELETE", "/api/testcases", new { testCaseIds = new[] { id } });
        var (_, rest) = await host.SendAsync("DELETE", $"/api/testcases/agent/{agent}");
        var (none, missing) = await host.SendAsync("DELETE", $"/api/testcases/agent/{agent}");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.OK), (created, foreign, changed));
        Assert.Equal((1, "5", "cosine"),
            ((int)found!["total"]!, (string?)found["data"]![0]!["expected"]!["response"], (string?)found["data"]![0]!["matching_type"]));
        Assert.Equal(HttpStatusCode.NotFound, stolen);
        Assert.Equal((1, 1), ((int)gone!["deletedCount"]!, (int)rest!["deletedCount"]!));
        Assert.Equal((HttpStatusCode.NotFound, "Testcase(s) not found"), (none, (string?)missing!["error"]));
    }

    [Fact]
    public async Task A_test_case_is_made_of_the_conversation_that_led_to_a_message()
    {
        var (agent, other) = (await host.AddAgentAsync(), await host.AddAgentAsync());
        await host.AddRunAsync(agent, "t", 0);
        await host.AddRunAsync(agent, "t", 1, run => run.FinishReason = "reset");
        await host.AddRunAsync(agent, "t", 2);
        await host.AddRunAsync(agent, "t", 3, run => run.IsSuccess = false);
        await host.AddRunAsync(agent, "elsewhere", 4);
        var run = await host.AddRunAsync(agent, "t", 5, document: new()
        {
            ["variables"] = new System.Text.Json.Nodes.JsonObject { ["name"] = "Ada" },
            ["user_urls"] = System.Text.Json.Nodes.JsonNode.Parse(
                """[{"url":"(inline)","type":"image"},{"url":"https://example.org/a.png","type":"image"}]"""),
        });
        await host.AddRunAsync(agent, "t", 6);

        var (status, made) = await host.SendAsync("POST", "/api/testcases/create", Terms(agent, run.MessageId));
        var (wrong, _) = await host.SendAsync("POST", "/api/testcases/create", Terms(other, run.MessageId));
        var (missing, _) = await host.SendAsync("POST", "/api/testcases/create", Terms(agent, "nothing"));
        var (_, listed) = await host.SendAsync("GET", $"/api/testcases/{agent}");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (status, wrong, missing));
        var kept = Assert.Single(listed!["data"]!.AsArray())!;
        Assert.Equal((string?)made!["data"]!["_id"], (string?)kept["_id"]);
        Assert.Equal(
            [("user", "question 2"), ("assistant", "answer 2"), ("user", "question 5")],
            kept["conversation"]!.AsArray().Select(message => ((string?)message!["role"], (string?)message["content"])));
        Assert.Equal("Ada", (string?)kept["variables"]!["name"]);
        Assert.Equal("https://example.org/a.png", (string?)Assert.Single(kept["user_urls"]!.AsArray())!["url"]);

        static object Terms(string agent, string message) =>
            new { bridge_id = agent, type = "response", expected = new { response = "4" }, matching_type = "exact", message_id = message };
    }

    [Fact]
    public async Task Conversations_below_a_thread_are_named_and_listed()
    {
        var (status, made) =
            await host.SendAsync("POST", "/api/thread", new { thread_id = "reader 7", subThreadId = "one", name = "Weather" });
        await host.SendAsync("POST", "/api/thread", new { thread_id = "reader 7" });
        await host.SendAsync("POST", "/api/thread", new { thread_id = "reader 7", subThreadId = "one", name = "Rain" });
        var (_, listed) = await host.SendAsync("GET", "/api/thread/reader%207");
        var (_, foreign) = await host.SendAsync("GET", "/api/thread/reader%207", asOther: true);
        var (refused, _) = await host.SendAsync("POST", "/api/thread", new { name = "no thread" });

        Assert.Equal((HttpStatusCode.Created, "Weather"), (status, (string?)made!["thread"]!["display_name"]));
        Assert.Equal(2, listed!["threads"]!.AsArray().Count);
        Assert.Contains(listed["threads"]!.AsArray(), thread => (string?)thread!["display_name"] == "Rain");
        Assert.Empty(foreign!["threads"]!.AsArray());
        Assert.Equal(HttpStatusCode.BadRequest, refused);
    }

    private static object Alert(string name) => new
    {
        name,
        webhookConfiguration = new { url = "https://example.org/hook", headers = new { token = "x" } },
        alertType = new[] { "Error", "thumbsdown" },
    };

    private static object Case(string agent, string name) => new
    {
        bridge_id = agent,
        name,
        type = "response",
        expected = new { response = "4" },
        matching_type = "exact",
        conversation = new[] { new { role = "user", content = "2+2" } },
    };
}
