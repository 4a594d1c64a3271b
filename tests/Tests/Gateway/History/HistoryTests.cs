using System.Net;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Gateway.History;

public sealed class HistoryTests(GtwyHost host) : IClassFixture<GtwyHost>
{
    [Fact]
    public async Task Threads_come_by_their_latest_run_and_page_by_page()
    {
        var agent = await host.AddAgentAsync();
        await host.AddRunAsync(agent, "first", 1);
        await host.AddRunAsync(agent, "second", 2);
        await host.AddRunAsync(agent, "first", 3);

        var (status, all) = await host.SendAsync("GET", $"/api/history/{agent}");
        var (_, second) = await host.SendAsync("GET", $"/api/history/{agent}?page=2&limit=1");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(["first", "second"], Texts(all, "thread_id"));
        Assert.Equal(["second"], Texts(second, "thread_id"));
    }

    [Theory]
    [InlineData("keyword=TION 5", "hit")]
    [InlineData("keyword=100%25_!", "odd")]
    [InlineData("error=true", "bad")]
    [InlineData("user_feedback=2", "disliked")]
    [InlineData("start_date=2026-03-01T12:08:00Z", "late")]
    [InlineData("""filter_by={"model":"other"}""", "model")]
    public async Task Threads_are_found_by_what_is_in_them(string query, string expected)
    {
        var agent = await host.AddAgentAsync();
        await host.AddRunAsync(agent, "plain", 1);
        await host.AddRunAsync(agent, "odd", 2, run => run.Answer = "100%_!");
        await host.AddRunAsync(agent, "bad", 3, run => run.IsSuccess = false);
        await host.AddRunAsync(agent, "disliked", 4, run => run.UserFeedback = 2);
        await host.AddRunAsync(agent, "hit", 5);
        await host.AddRunAsync(agent, "model", 6, run => run.Model = "other");
        await host.AddRunAsync(agent, "late", 9);

        var (_, found) = await host.SendAsync("GET", $"/api/history/{agent}?{query}");

        Assert.Equal([expected], Texts(found, "thread_id"));
    }

    [Fact]
    public async Task A_conversation_shows_its_newest_runs_oldest_first()
    {
        var agent = await host.AddAgentAsync();
        for (var minute = 1; minute <= 5; minute++)
        {
            await host.AddRunAsync(agent, "talk", minute);
        }

        var (_, page) = await host.SendAsync("GET", $"/api/history/{agent}/talk/talk?limit=2");
        var (_, older) = await host.SendAsync("GET", $"/api/history/{agent}/talk/talk?limit=2&page=3");

        Assert.Equal(["question 4", "question 5"], Texts(page, "user"));
        Assert.Equal((5, 3), ((int)page!["totalEntries"]!, (int)page["totalPages"]!));
        Assert.Equal(["question 1"], Texts(older, "user"));
    }

    [Fact]
    public async Task A_run_holds_the_runs_of_the_agents_that_it_called()
    {
        var (agent, other) = (await host.AddAgentAsync(), await host.AddAgentAsync());
        var root = await host.AddRunAsync(agent, "talk", 1, document: Calling("below"));
        await host.AddRunAsync(other, "deep", 2, run => (run.ParentId, run.Answer) = (root.MessageId, "from below"), messageId: "below");

        var (status, body) = await host.SendAsync("GET", $"/api/history/recursive/{agent}/talk/{root.MessageId}");
        var (missing, _) = await host.SendAsync("GET", $"/api/history/recursive/{other}/talk/{root.MessageId}");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("from below", (string?)body!["data"]!["tools_call_data"]![0]!["call_1"]!["data"]!["response"]!["llm_message"]);
        Assert.Equal(HttpStatusCode.NotFound, missing);
    }

    [Fact]
    public async Task Another_organization_sees_nothing()
    {
        var agent = await host.AddAgentAsync();
        var run = await host.AddRunAsync(agent, "talk", 1);

        var (threads, _) = await host.SendAsync("GET", $"/api/history/{agent}", asOther: true);
        var (talk, _) = await host.SendAsync("GET", $"/api/history/{agent}/talk/talk", asOther: true);
        var (one, _) = await host.SendAsync("GET", $"/api/history/message/testcase/history/message_id/{run.MessageId}", asOther: true);
        var (mark, _) = await host.SendAsync("PUT", "/api/v1/config/status/2", new { message_id = run.MessageId }, asOther: true);
        var (report, _) = await host.SendAsync("POST", "/api/report/message-data", new { message_id = run.MessageId }, asOther: true);

        Assert.All([threads, talk, one, mark, report], status => Assert.Equal(HttpStatusCode.NotFound, status));
    }

    [Fact]
    public async Task The_run_of_a_message_is_reported_as_the_history_has_it()
    {
        var agent = await host.AddAgentAsync();
        var run = await host.AddRunAsync(agent, "talk", 1);

        var (status, report) = await host.SendAsync("POST", "/api/report/message-data", new { message_id = run.MessageId });
        var (_, log) = await host.SendAsync("GET", $"/api/history/message/testcase/history/message_id/{run.MessageId}");
        var (nameless, refusal) = await host.SendAsync("POST", "/api/report/message-data", new { });

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.True(JsonNode.DeepEquals(log, report), report?.ToJsonString());
        Assert.Equal((HttpStatusCode.BadRequest, false), (nameless, (bool)refusal!["success"]!));
    }

    [Fact]
    public async Task Feedback_corrections_and_added_messages_are_kept()
    {
        var agent = await host.AddAgentAsync();
        var run = await host.AddRunAsync(agent, "talk", 1);

        var (marked, _) = await host.SendAsync("PUT", "/api/v1/config/status/1", new { message_id = run.MessageId });
        var (_, log) = await host.SendAsync("GET", $"/api/history/message/testcase/history/message_id/{run.MessageId}");
        var id = (long)log!["data"]!["id"]!;
        var (corrected, _) = await host.SendAsync("PUT", $"/api/v1/config/gethistory/{agent}", new { message = "better", id });
        var (added, _) = await host.SendAsync("POST", $"/api/v1/config/threads/talk/{agent}", new { message = "by hand" });
        var (_, talk) = await host.SendAsync("GET", $"/api/v1/config/threads/talk/{agent}");

        Assert.All([marked, corrected, added], status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.Equal(["answer 1", "by hand"], Texts(talk, "llm_message"));
        Assert.Equal((1, "better"), ((int)talk!["data"]![0]!["user_feedback"]!, (string?)talk["data"]![0]!["updated_llm_message"]));
    }

    [Fact]
    public async Task Fine_tuning_lines_hold_the_corrected_answer()
    {
        var agent = await host.AddAgentAsync();
        await host.AddRunAsync(agent, "talk", 1, document: new() { ["prompt"] = "Be brief", ["updated_llm_message"] = "better" });
        await host.AddRunAsync(agent, "talk", 2, run => run.IsSuccess = false);

        var (_, body) = await host.SendAsync("POST", $"/api/v1/config/getFineTuneData/{agent}", new { thread_ids = new[] { "talk" } });

        Assert.Equal(["Be brief", "question 1", "better"], body!["messages"]!.AsArray().Select(message => (string?)message!["content"]));
    }

    [Theory]
    [InlineData("user_feedback=3")]
    [InlineData("error=maybe")]
    [InlineData("page=0")]
    [InlineData("limit=101")]
    [InlineData("start_date=soon")]
    [InlineData("filter_by=[]")]
    [InlineData("""filter_by={"organization_id":"x"}""")]
    public async Task What_the_wire_does_not_know_is_refused(string query)
    {
        var (status, body) = await host.SendAsync("GET", $"/api/history/{await host.AddAgentAsync()}?{query}");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.False((bool)body!["success"]!);
    }

    private static JsonObject Calling(string message) => new()
    {
        ["tools_call_data"] = new JsonArray(new JsonObject
        {
            ["call_1"] = new JsonObject { ["data"] =
                new JsonObject { ["metadata"] = new JsonObject { ["type"] = "agent", ["message_id"] = message } } },
        }),
    };

    private static IEnumerable<string?> Texts(JsonNode? page, string name) => page!["data"]!.AsArray().Select(row => (string?)row![name]);
}
