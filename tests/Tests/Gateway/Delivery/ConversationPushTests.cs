using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Delivery;
using Stoa.Platform.Identity;
using Stoa.Tests.Gateway.Runs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Delivery;

/// <summary>What windows of conversations and pages of agents are told besides answers.</summary>
public sealed class ConversationPushTests(RunSite site) : IClassFixture<RunSite>
{
    private static readonly string Org = Organization.DefaultId.ToString();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Titles_and_suggestions_go_where_the_answer_goes()
    {
        var agent = await AgentAsync("gpt-4o");
        using var window = await ListenAsync("the window");
        // The jobs ask one after the other, the title first.
        site.OpenAi.EnqueueFor("gpt-4o", ScriptedAnswer.Text("Green."), ScriptedAnswer.Text("Tea of all colours"), Suggestions);

        await site.RunAsync($$"""
            {"bridge_id":"{{agent}}","user":"Tea?","thread_id":"t 1","thread_flag":true,"suggest":true,
             "configuration":{"response_format":{"type":"RTLayer","cred":{"channel":"the window"} } } }
            """);
        await site.Host.RunJobsAsync();

        var named = await HearAsync(window, message => message["response"]?["display_name"] is not null);
        Assert.Equal(("Tea of all colours", "t 1", "t 1"),
            ((string?)named["display_name"], (string?)named["threadId"], (string?)named["subThreadId"]));
        Assert.NotNull(named["created_at"]);
        var suggested = await HearAsync(window, message => message["response"]?["data"]?["suggestions"] is not null);
        Assert.Equal("""["One?","Two?"]""", suggested["data"]!["suggestions"]!.ToJsonString());
    }

    [Fact]
    public async Task Of_other_answers_they_go_to_the_conversations_own_channel()
    {
        var agent = await AgentAsync("gpt-4o-mini");
        using var window = await ListenAsync($"{agent}t_2sub");
        site.OpenAi.EnqueueFor("gpt-4o-mini", ScriptedAnswer.Text("Green."), ScriptedAnswer.Text("Tea"), Suggestions);

        await site.RunAsync(
            $$"""{"bridge_id":"{{agent}}","user":"Tea?","thread_id":"t 2","sub_thread_id":"sub","thread_flag":true,"suggest":true}""");
        await site.Host.RunJobsAsync();

        Assert.Equal(
            "Tea", (string?)(await HearAsync(window, message => message["response"]?["display_name"] is not null))["display_name"]);
        await HearAsync(window, message => message["response"]?["data"]?["suggestions"] is not null);
    }

    [Fact]
    public async Task A_conversation_is_named_by_the_model_of_its_agent_and_by_its_words_where_there_is_none()
    {
        var agent = await AgentAsync("gpt-4.1");
        site.OpenAi.EnqueueFor("gpt-4.1", ScriptedAnswer.Text("\"About rain\""));
        using var window = await ListenAsync("botthreadsub");

        var (status, made) = await site.RunAsync(
            $$"""{"thread_id":"thread","subThreadId":"sub","user":"Will it rain?","botId":"bot","bridge_id":"{{agent}}"}""",
            "/api/thread/ai");
        var (_, own) = await site.RunAsync("""{"thread_id":"nobody's","user":"Just words"}""", "/api/thread/ai");
        var (wrong, _) = await site.RunAsync("""{"thread_id":"x","user":"x","slugName":"nobody"}""", "/api/thread/ai");

        Assert.Equal((HttpStatusCode.Created, "About rain", "sub"),
            (status, (string?)made["thread"]!["display_name"], (string?)made["thread"]!["sub_thread_id"]));
        Assert.Equal(
            "About rain", (string?)(await HearAsync(window, message => message["response"]?["display_name"] is not null))["display_name"]);
        Assert.Equal("Just words", (string?)own["thread"]!["display_name"]);
        Assert.Equal(HttpStatusCode.NotFound, wrong);
    }

    [Fact]
    public async Task A_conversation_begins_anew_and_its_window_is_told()
    {
        var agent = await AgentAsync("o4-mini");
        var body = $$"""{"bridge_id":"{{agent}}","user":"{0}","thread_id":"anew"}""";
        await site.RunAsync(body.Replace("{0}", "My name is Ada", StringComparison.Ordinal));
        using var window = await ListenAsync("botanewanew");

        var (status, answer) =
            await site.RunAsync($$"""{"threadId":"anew","slugName":"{{agent}}","purpose":"x"}""", "/chatbot/bot/resetchat");
        await site.RunAsync(body.Replace("{0}", "What is it?", StringComparison.Ordinal));
        var (strange, _) = await site.RunAsync("""{"threadId":"anew","slugName":"nobody"}""", "/chatbot/bot/resetchat");
        var (wrong, _) = await site.RunAsync("""{"slugName":"nobody"}""", "/chatbot/bot/resetchat");

        Assert.Equal((HttpStatusCode.OK, "Chatbot reset successfully"), (status, (string?)answer["message"]));
        Assert.Equal("reset", (string?)(await HearAsync(window, message => message["response"]?["data"] is not null))["data"]!["role"]);
        Assert.DoesNotContain("Ada", site.OpenAi.RequestsFor("o4-mini")[^1].Json!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(["completed", "reset", "completed"], (await site.RowsAsync(agent)).Select(row => row.FinishReason));
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.BadRequest), (strange, wrong));
    }

    [Fact]
    public async Task A_thread_is_read_as_a_window_shows_it()
    {
        var agent = await AgentAsync("gpt-4.1-mini");
        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"One","thread_id":"shown"}""");

        foreach (var path in (string[])[$"/api/history/shown/{agent}",
            $"/api/v1/config/gethistory-chatbot/shown/{agent}?sub_thread_id=shown"])
        {
            var (status, page) = await site.GetAsync(path);
            Assert.True(status == HttpStatusCode.OK, page.ToJsonString());
            var row = Assert.Single(page["data"]!.AsArray())!.AsObject();

            Assert.Equal(("One", agent), ((string?)row["user"], (string?)row["bridge_id"]));
            Assert.True(row.ContainsKey("chatbot_message") && !row.ContainsKey("prompt") && !row.ContainsKey("variables"));
        }
        Assert.Equal(HttpStatusCode.NotFound, (await site.GetAsync("/api/history/shown/nobody")).Status);
    }

    [Fact]
    public async Task Analytics_and_results_of_test_cases_are_pushed_to_the_pages_of_the_agent()
    {
        var agent = await AgentAsync("gpt-5-nano");
        var version = (string)(await site.ReadAsync("select published_version_id from gateway.agents where id = $1", agent))!;
        using var page = await ListenAsync($"{Org}_{agent}");
        using var editor = await ListenAsync($"{Org}_{agent}_{version}");

        var (asked, summary) = await site.GetAsync($"/api/analytics/agent/{agent}?range=7d&analytics=true");
        Assert.True(asked == HttpStatusCode.OK, summary.ToJsonString());
        var (tried, results) = await site.RunAsync(
            $$"""
            {"version_id":"{{version}}","testcase_data":{"conversation":[{"role":"user","content":"2+2"}],"expected":{"response":"4"},"matching_type":"exact"} }
            """, "/api/v2/model/testcases");
        Assert.True(tried == HttpStatusCode.OK && (bool)results["success"]!, results.ToJsonString());

        var told = await HearAsync(page, message => message["response"]?["summary"] is not null);
        Assert.IsType<JsonArray>(told["charts"]);
        var tested = await HearAsync(editor, message => message["response"]?["matching_type"] is not null);
        Assert.True(tested.AsObject().ContainsKey("testcase_id"));
    }

    private static ScriptedAnswer Suggestions => ScriptedAnswer.Text("""{"suggestions":["One?","Two?"]}""");

    private Task<string> AgentAsync(string model) =>
        site.AgentAsync($$"""{"service":"openai","configuration":{"model":"{{model}}","prompt":"x","response_type":{"type":"text"} } }""");

    private async Task<PushSubscriber> ListenAsync(string channel)
    {
        var listener = site.Host.Services.GetRequiredService<PushHub>().Open(Organization.DefaultId);
        await listener.JoinAsync(channel, seen: 0, Ct);
        return listener;
    }

    /// <summary>The response of the first message of this kind; others are passed over.</summary>
    private static async Task<JsonNode> HearAsync(PushSubscriber listener, Func<JsonNode, bool> isIt)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        patience.CancelAfter(Patience.Long);
        while (await listener.WaitAsync(patience.Token))
        {
            while (listener.TryRead(out var message))
            {
                if (JsonNode.Parse(message.Text) is { } told && isIt(told))
                {
                    Assert.True((bool)told["success"]!);
                    return told["response"]!;
                }
            }
        }
        throw new InvalidOperationException("The listener was cut off");
    }
}
