using System.Text.Json.Nodes;
using Stoa.Tests.Gateway.Runs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Batches;

/// <summary>Batches of agents whose provider has no batch API: each line is a run.</summary>
public sealed class AgentBatchesTests(RunSite site) : IClassFixture<RunSite>
{
    private const string Path = "/api/v2/model/batch/chat/completion";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_message_is_one_item_at_the_webhook_and_one_row_of_the_history()
    {
        var agent = await site.AgentAsync(
            """{"service":"openai","configuration":{"model":"gpt-4o-mini","prompt":"You help {{name}} of {{city}}.","response_type":"text"}}""");
        site.OpenAi.EnqueueFor("gpt-4o-mini", [.. Enumerable.Repeat(ScriptedAnswer.Default.WithUsage(new(20, 3)), 3)]);
        var started = await StartAsync($$"""
            {"bridge_id":"{{agent}}","batch":["one","two","three 🗼"],"batch_variables":[{"name":"Asha"},{"name":"Bo"},{}],
             "variables":{"city":"Pune"},"webhook":{{Webhook("whole")}} }
            """);
        await site.Host.RunJobsAsync();

        var told = Assert.Single(site.Tools.Calls, call => call.Path == "/whole").Body!;
        var messages = started["messages"]!.AsArray();
        Assert.Equal("Response will be successfully sent to the webhook wihtin 24 hrs.", (string?)started["response"]);
        Assert.Equal(["one", "two", "three 🗼"], messages.Select(message => (string?)message!["message"]));
        Assert.Equal((true, "Pune"), ((bool)told["success"]!, (string?)told["variables"]!["city"]));
        var items = told["response"]!.AsArray();
        Assert.Equal(messages.Select(message => (string?)message!["custom_id"]), items.Select(item => (string?)item!["custom_id"]));
        Assert.Equal(["You said: one", "You said: two", "You said: three 🗼"], items.Select(item => (string?)item!["data"]!["content"]));
        Assert.All(items, item => Assert.Equal(((string?)started["batch_id"], true, 23),
            ((string?)item!["batch_id"], (bool)item["isBatch"]!, (int)item["usage"]!["total_tokens"]!)));
        Assert.Equal("Bo", (string?)items[1]!["variables"]!["name"]);
        Assert.Contains(site.OpenAi.RequestsFor("gpt-4o-mini"),
            request => request.Json!.ToJsonString().Contains("You help Bo of Pune.", StringComparison.Ordinal));

        var rows = await site.RowsAsync(agent);
        Assert.Equal(3, rows.Count);
        Assert.All(rows, row => Assert.Equal(
            ((string?)started["batch_id"], "completed", row.MessageId),
            (row.BatchId, (string?)row.Document["batch_data"]!["status"], (string?)row.Document["batch_data"]!["custom_id"])));
        var counts = await GetAsync($"/api/batch/history/count/{agent}");
        Assert.Equal((3, 0, 0), ((int)counts["data"]!["completed"]!, (int)counts["data"]!["queued"]!, (int)counts["data"]!["processing"]!));
        var state = (await GetAsync($"/api/batch/status/{started["batch_id"]}"))["data"]!;
        Assert.Equal(("completed", agent, 3, 3), ((string?)state["status"], (string?)state["bridge_id"],
            (int)state["request_counts"]!["total"]!, (int)state["request_counts"]!["completed"]!));
        Assert.Contains((await GetAsync("/api/batch?limit=100"))["data"]!.AsArray(),
            batch => (string?)batch!["batch_id"] == (string?)started["batch_id"]);
        Assert.Null(await site.ReadAsync("select secrets from gateway.batches where id = $1", (string)started["batch_id"]!) as byte[]);
    }

    [Fact]
    public async Task An_agent_with_tools_uses_them_in_a_batch()
    {
        site.Tools.Answers("batch_weather", """{"temp":9}""");
        var tool = await site.ToolAsync("batch_weather", """{"description":"The weather","fields":{"city":{"type":"string"}}}""");
        var agent = await site.AgentAsync(
            $$"""{"service":"openai","configuration":{"model":"gpt-4.1-mini"},"function_ids":["{{tool}}"]}""");
        site.OpenAi.EnqueueFor("gpt-4.1-mini",
            ScriptedAnswer.ToolCalls(new ScriptedCall("batch_weather", """{"city":"Oslo"}""")), ScriptedAnswer.Text("Nine."));
        await StartAsync($$"""{"bridge_id":"{{agent}}","batch":["How warm?"],"webhook":{{Webhook("tools")}} }""");
        await site.Host.RunJobsAsync();

        var item = Assert.Single(site.Tools.Calls, call => call.Path == "/tools").Body!["response"]![0]!;
        Assert.Equal(("Nine.", 9), ((string?)item["data"]!["content"], (int)item["data"]!["tools_data"]!["batch_weather"]!["temp"]!));
    }

    [Fact]
    public async Task A_line_that_fails_is_an_item_with_its_error_and_spoils_no_other()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"o4-mini","response_type":"text"}}""");
        site.OpenAi.EnqueueFor("o4-mini", ScriptedAnswer.Error(400), ScriptedAnswer.Text("Well."));
        await StartAsync($$"""{"bridge_id":"{{agent}}","batch":["a","b"],"webhook":{{Webhook("partly")}} }""");
        await site.Host.RunJobsAsync();
        site.OpenAi.EnqueueFor("o4-mini", ScriptedAnswer.Error(400));
        await StartAsync($$"""{"bridge_id":"{{agent}}","batch":["c"],"webhook":{{Webhook("never")}} }""");
        await site.Host.RunJobsAsync();

        var partly = Assert.Single(site.Tools.Calls, call => call.Path == "/partly").Body!;
        Assert.True((bool)partly["success"]!);
        var failed = Assert.Single(partly["response"]!.AsArray(), item => item!["data"] is null)!;
        Assert.Equal(400, (int)failed["status_code"]!);
        Assert.NotEqual("", (string?)failed["error"]);
        var never = Assert.Single(site.Tools.Calls, call => call.Path == "/never").Body!;
        Assert.False((bool)never["success"]!);
        Assert.Equal(400, (int)Assert.Single(never["error"]!.AsArray())!["status_code"]!);
        Assert.Equal(["completed", "failed", "failed"],
            (await site.RowsAsync(agent)).Select(row => (string?)row.Document["batch_data"]!["status"]).Order());
    }

    [Fact]
    public async Task What_a_cancelled_batch_has_not_run_is_said_to_be_cancelled()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4.1","response_type":"text"}}""");
        var release = new TaskCompletionSource();
        site.OpenAi.EnqueueFor("gpt-4.1", [.. Enumerable.Repeat(ScriptedAnswer.Text("late").Hold(0, release.Task), 8)]);
        var messages = string.Join(',', Enumerable.Range(0, 300).Select(number => $"\"{number}\""));
        var started = await StartAsync($$"""{"bridge_id":"{{agent}}","batch":[{{messages}}],"webhook":{{Webhook("cancelled")}} }""");
        await site.OpenAi.NextRequestForAsync("gpt-4.1", Ct);
        var (_, cancelling) = await site.RunAsync("{}", $"/api/batch/cancel/{started["batch_id"]}");
        release.SetResult();
        await site.Host.RunJobsAsync();

        Assert.Equal("cancelling", (string?)cancelling["data"]!["status"]);
        Assert.Equal("cancelled", (string?)(await GetAsync($"/api/batch/status/{started["batch_id"]}"))["data"]!["status"]);
        var items = Assert.Single(site.Tools.Calls, call => call.Path == "/cancelled").Body!["response"]!.AsArray();
        Assert.Equal(300, items.Select(item => (string?)item!["custom_id"]).Distinct(StringComparer.Ordinal).Count());
        Assert.Contains(items, item => (string?)item!["error"] == "batch_cancelled");
        Assert.Contains(items, item => item!["data"] is not null);
    }

    [Theory]
    [InlineData("""{"batch":["a"]}""", "webhook is required")]
    [InlineData("""{"batch":["a"],"webhook":{"url":"http://10.0.0.1/"}}""", "url not allowed")]
    [InlineData("""{"batch":["a"],"batch_variables":[{},{}],"webhook":{}}""", "webhook is required")]
    [InlineData(
        """{"batch":["a"],"batch_variables":[{},{}],"webhook":{"url":"{0}"}}""", "batch_variables must be an array of the same length")]
    [InlineData("""{"batch":["a",""],"webhook":{"url":"{0}"}}""", "batch.1 must be a text")]
    [InlineData("""{"user":"x","webhook":{"url":"{0}"}}""", "batch is required")]
    public async Task What_cannot_be_run_or_delivered_is_refused_and_nothing_is_kept(string body, string error)
    {
        var before = await site.ReadAsync("select count(*) from gateway.batches where kind = 'gtwy'");
        var whole = JsonNode.Parse(body.Replace("{0}", $"{site.Tools.Address}/x", StringComparison.Ordinal))!;
        whole["service"] = "openai";
        whole["configuration"] = new JsonObject { ["model"] = "gpt-4o" };

        var (status, answer) = await site.RunAsync(whole.ToJsonString(), Path);

        Assert.Equal(400, (int)status);
        Assert.Contains(error, (string?)answer["detail"]!["error"], StringComparison.OrdinalIgnoreCase);
        Assert.Equal(before, await site.ReadAsync("select count(*) from gateway.batches where kind = 'gtwy'"));
    }

    [Fact]
    public async Task A_message_may_be_asked_with_many_variables()
    {
        await StartAsync($$$"""
            {"service":"openai","configuration":{"model":"gpt-4o","prompt":"Hello {{name}}"}, "user":"Greet","webhook":{{{Webhook("variables")}}} ,
             "batch_variables":[{"name":"A"},{"name":"B"}]}
            """);
        await site.Host.RunJobsAsync();
        Assert.Equal(2, Assert.Single(site.Tools.Calls, call => call.Path == "/variables").Body!["response"]!.AsArray().Count);
    }

    private string Webhook(string name) => $$"""{"url":"{{site.Tools.Address}}/{{name}}","headers":{"x-own":"yes"} }""";

    private async Task<JsonNode> StartAsync(string body)
    {
        var (status, answer) = await site.RunAsync(body, Path);
        Assert.True((int)status == 200, answer.ToJsonString());
        return answer;
    }

    private async Task<JsonNode> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "pauthkey", "stoa-dev" } } };
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
