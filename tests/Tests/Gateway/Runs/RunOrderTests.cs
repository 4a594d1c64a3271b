using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>Runs that meet each other, and runs whose callers leave.</summary>
public sealed class RunOrderTests(RunSite site) : IClassFixture<RunSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_of_a_thread_waits_for_the_one_before_it_and_knows_what_it_said()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4o","prompt":"x"}}""");
        var release = new TaskCompletionSource();
        site.OpenAi.EnqueueFor("gpt-4o", ScriptedAnswer.Text("First answer.").Hold(release: release.Task));

        var first = site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"First?","thread_id":"t"}""");
        while (site.OpenAi.RequestsFor("gpt-4o").Count == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Ct);
        }
        var second = site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Second?","thread_id":"t"}""");
        var other = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Elsewhere?","thread_id":"u"}""");
        release.SetResult();
        await Task.WhenAll(first, second);

        Assert.Equal(HttpStatusCode.OK, other.Status);
        var last = site.OpenAi.RequestsFor("gpt-4o").Single(request => Said(request).Contains("Second?", StringComparison.Ordinal));
        Assert.Contains("First answer.", Said(last), StringComparison.Ordinal);
        Assert.Equal(["First?", "Second?"], (await site.RowsAsync(agent)).Where(row => row.ThreadId == "t").Select(row => row.UserMessage));
    }

    [Fact]
    public async Task A_thread_that_another_node_holds_is_free_when_its_lease_ends()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4.1","prompt":"x"}}""");
        await HoldAsync(agent, "300 milliseconds");

        var (status, _) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Now?","thread_id":"held"}""");

        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task A_parallel_run_waits_for_nobody()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4.1","prompt":"x"}}""");
        await HoldAsync(agent, "1 hour");

        var (status, _) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Now?","thread_id":"held","parallel":true}""");

        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_the_call_to_the_provider_and_the_run_is_logged()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"o3","prompt":"x"}}""");
        site.OpenAi.EnqueueFor("o3", ScriptedAnswer.Text("One two three four five").Hold(after: 3));
        var answer = await site.SendAsync($$"""{"bridge_id":"{{agent}}","user":"Count","stream":true,"thread_id":"left"}""");
        await using (var stream = await answer.Content.ReadAsStreamAsync(Ct))
        {
            Assert.True(await stream.ReadAsync(new byte[16], Ct) > 0);
        }

        answer.Dispose();
        var aborted = await site.OpenAi.NextAbortAsync(Ct);

        Assert.Equal("o3", aborted.Model);
        Assert.Equal("cancelled", (await RowAsync(agent)).FinishReason);
        // The thread is free again.
        Assert.Equal(HttpStatusCode.OK, (await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Again","thread_id":"left"}""")).Status);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_its_tools()
    {
        var begun = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        site.Tools.On("forever", async context =>
        {
            begun.SetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            }
            finally
            {
                ended.SetResult();
            }
        });
        var tool = await site.ToolAsync("forever", """{"description":"x","fields":{},"timeout":60}""");
        var agent = await site.AgentAsync($$"""
            {"service":"openai","configuration":{"model":"gpt-5","prompt":"x"},"function_ids":["{{tool}}"]}
            """);
        site.OpenAi.EnqueueFor("gpt-5", ScriptedAnswer.ToolCalls(new ScriptedCall("forever", "{}")));
        using var leaving = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v2/model/chat/completion")
        {
            Headers = { { "pauthkey", "stoa-dev" } },
            Content = new StringContent($$"""{"bridge_id":"{{agent}}","user":"Go"}""", System.Text.Encoding.UTF8, "application/json"),
        };
        var running = site.Host.Client.SendAsync(request, leaving.Token);

        await begun.Task.WaitAsync(Ct);
        await leaving.CancelAsync();
        await ended.Task.WaitAsync(Ct);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal("cancelled", (await RowAsync(agent)).FinishReason);
    }

    [Fact]
    public async Task Runs_that_end_together_are_kept_each_for_itself()
    {
        const int Runs = 24;
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-5-mini","prompt":"x"}}""");
        await site.ExecuteAsync("""
            create or replace function gateway.refuse() returns trigger language plpgsql as $$ begin raise exception 'not this one'; end $$;
            create trigger refuse before insert on gateway.runs for each row when (new.user_message = 'Refuse me') execute function gateway.refuse()
            """);
        var release = new TaskCompletionSource();
        site.OpenAi.EnqueueFor(
            "gpt-5-mini", [.. Enumerable.Range(0, Runs).Select(_ => ScriptedAnswer.Text("Yes.").Hold(release: release.Task))]);

        var running = Enumerable.Range(0, Runs).Select(number => site.RunAsync($$"""
            {"bridge_id":"{{agent}}","user":"{{(number == 7 ? "Refuse me" : $"Question {number}")}}","thread_id":"together-{{number % 20}}"}
            """)).ToArray();
        await Patience.UntilAsync(() => site.OpenAi.RequestsFor("gpt-5-mini").Count == 20);
        release.SetResult();
        var answers = await Task.WhenAll(running);
        await site.ExecuteAsync("drop trigger refuse on gateway.runs");

        Assert.Equal([7], answers.Index().Where(answer => answer.Item.Status != HttpStatusCode.OK).Select(answer => answer.Index));
        Assert.Equal(
            Enumerable.Range(0, Runs).Where(number => number != 7).Select(number => $"Question {number}").Order(StringComparer.Ordinal),
            (await site.RowsAsync(agent)).Select(row => row.UserMessage).Order(StringComparer.Ordinal));
        Assert.Equal(0L, await site.ReadAsync("select count(*) from gateway.thread_leases where agent_id = $1", agent));
    }

    [Fact]
    public async Task Conversations_that_are_read_together_stay_apart()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4.1","prompt":"x"}}""");
        foreach (var (thread, times) in new[] { ("one", 1), ("two", 2), ("three", 3) })
        {
            for (var number = 1; number <= times; number++)
            {
                await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"{{thread}} {{number}}","thread_id":"{{thread}}"}""");
            }
        }
        await site.ExecuteAsync("update gateway.threads set memory = 'of ' || thread_id where agent_id = $1", agent);

        var (_, pasts) = await ThreadHistory.ReadAsync(
            site.Host.Services.GetRequiredService<NpgsqlDataSource>(),
            [.. new[] { "two", "none", "three", "one" }.Select(name => new ThreadKey(Organization.DefaultId, agent, name, name))],
            take: null, Ct);

        Assert.Equal(
            ["two 1, two 2", "", "three 1, three 2, three 3", "one 1"],
            pasts.Select(past => string.Join(", ", past.Exchanges.Select(exchange => exchange.User))));
        Assert.Equal(["of two", null, "of three", "of one"], pasts.Select(past => past.Memory));
    }

    [Fact]
    public async Task A_thread_has_a_name_that_can_be_kept()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4.1","prompt":"x"}}""");

        using var answer = await site.SendAsync(
            $$"""{"model":"agent:{{agent}}","messages":[{"role":"user","content":"Hi"}],"metadata":{"thread_id":"a\u0000"} }""",
            "/v1/chat/completions", ("Authorization", "Bearer stoa-dev"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task The_agents_of_another_organization_do_not_exist()
    {
        var other = Guid.CreateVersion7();
        await site.ExecuteAsync(
            "insert into platform.organizations (id, slug, name, created_at) values ($1, $2, 'Other', now())", other, $"o-{other:n}");
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4o","prompt":"x"}}""", organization: other);

        var (status, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("bridge_id does not exist", (string)body["detail"]!["error"]!);
    }

    private Task HoldAsync(string agent, string time) => site.ExecuteAsync(
        $"insert into gateway.thread_leases values ($1, $2, 'held', 'held', gen_random_uuid(), now() + interval '{time}')",
        Organization.DefaultId, agent);

    private async Task<Stoa.Gateway.History.AgentRun> RowAsync(string agent)
    {
        while (true)
        {
            if (await site.RowsAsync(agent) is [var row, ..])
            {
                return row;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Ct);
        }
    }

    private static string Said(ScriptedRequest request) =>
        string.Join('\n', request.Json!["messages"]!.AsArray().Select(message => message!["content"]?.ToString()));
}
