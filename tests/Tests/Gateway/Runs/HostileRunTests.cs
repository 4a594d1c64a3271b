using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Delivery;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>What models, tools and callers may send into a run without breaking it, or getting more than they may.</summary>
public sealed class HostileRunTests(RunSite site) : IClassFixture<RunSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_call_twice_in_a_round_is_made_once_and_answered_twice()
    {
        var tool = await site.ToolAsync("pay-once", """{"description":"x","fields":{"sum":{"type":"number"}}}""");
        var agent = await site.AgentAsync(
            $$$"""{"service":"openai","configuration":{"model":"gpt-4o","prompt":"x"},"function_ids":["{{{tool}}}"]}""");
        site.OpenAi.EnqueueFor("gpt-4o",
            ScriptedAnswer.ToolCalls(
                new("pay-once", """{"sum":1}""", "a"), new("pay-once", """{"sum":1}""", "b"), new("pay-once", """{"sum":2}""", "c")),
            ScriptedAnswer.Text("Paid."));

        var (_, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Pay"}""");

        Assert.Equal("Paid.", (string)body["response"]!["data"]!["content"]!);
        Assert.Equal([1, 2], site.Tools.Calls.Where(call => call.Path == "/func/pay-once").Select(call => (int)call.Body!["sum"]!).Order());
        Assert.Equal(["a", "b", "c"], site.OpenAi.RequestsFor("gpt-4o")[^1].Json!["messages"]!.AsArray()
            .Where(message => (string?)message!["role"] == "tool").Select(message => (string?)message!["tool_call_id"]));
    }

    [Fact]
    public async Task What_tools_and_models_send_can_always_be_kept_and_read_again()
    {
        var deep = $"{string.Concat(Enumerable.Repeat("{\"a\":", 60))}1{new string('}', 60)}";
        site.Tools.Answers("deep", deep);
        site.Tools.Answers("huge", """{"n":1e200000}""");
        string[] tools = [await site.ToolAsync("deep", """{"description":"x","fields":{}}"""),
            await site.ToolAsync("huge", """{"description":"x","fields":{}}""")];
        var agent = await site.AgentAsync(
            $$$"""{"service":"openai","configuration":{"model":"gpt-4o","prompt":"x"},"function_ids":["{{{tools[0]}}}","{{{tools[1]}}}"]}""");
        site.OpenAi.EnqueueFor("gpt-4o",
            ScriptedAnswer.ToolCalls(
                new("deep", "{}", "a"), new("huge", "{}", "b"), new("deep", deep, "c"), new("huge", """{"n":1e200000}""", "d")),
            ScriptedAnswer.Text("Strange."));

        var (status, body) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Go"}""");

        Assert.Equal((HttpStatusCode.OK, "Strange."), (status, (string?)body["response"]?["data"]?["content"]));
        var calls = Assert.Single(await site.RowsAsync(agent)).Document["tools_call_data"]![0]!.AsObject();
        Assert.Equal([deep, """{"n":1e200000}"""], new[] { "a", "b" }.Select(call => (string)calls[call]!["data"]!["response"]!));
        Assert.Equal([true, true], new[] { "c", "d" }.Select(call => (bool)calls[call]!["error"]!));
    }

    [Fact]
    public async Task An_argument_is_not_put_deeper_than_what_can_be_written()
    {
        site.OpenAi.EnqueueFor("gpt-4o", ScriptedAnswer.ToolCalls(new ScriptedCall("weather", "{}")), ScriptedAnswer.Text("Sunny."));

        var (status, body) = await site.RunAsync($$"""
            {"service":"openai","configuration":{"model":"gpt-4o"},"user":"Weather?","variables":{"x":1},
             "extra_tools":[{"name":"weather","url":"{{site.Tools.Address}}/func/weather","fields":{},
               "tool_and_variable_path":{"{{string.Join('.', Enumerable.Repeat("a", 2_000))}}":"x","city.id":"x"} }]}
            """);

        Assert.Equal((HttpStatusCode.OK, "Sunny."), (status, (string?)body["response"]?["data"]?["content"]));
        Assert.Equal("""{"city":{"id":1}}""", Assert.Single(site.Tools.Calls, call => call.Path == "/func/weather").Body!.ToJsonString());
    }

    [Fact]
    public async Task The_names_of_a_conversation_fit_into_an_index()
    {
        var random = new Random(7);
        var longest = string.Concat(Enumerable.Range(0, 512).Select(_ => (char)random.Next(0x4E00, 0x9FFF)));
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4o","prompt":"x"}}""");

        var (status, _) =
            await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi","thread_id":"{{longest}}","sub_thread_id":"{{longest}}"}""");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.DoesNotContain(site.OpenAi.RequestsFor("gpt-4o"),
            request => request.Json!["messages"]!.ToJsonString().Contains(agent, StringComparison.Ordinal));
        Assert.Empty(await site.RowsAsync(agent));
    }

    [Fact]
    public async Task A_key_that_is_bound_to_a_model_uses_no_other_whichever_way_it_asks()
    {
        var key = await site.Host.Services.GetRequiredService<KeyStore>().CreateAsync(
            Organization.DefaultId, new("bound", Models: ["openai/gpt-5-nano"]), "test", Ct);
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-5-mini","prompt":"x"}}""");
        site.OpenAi.EnqueueFor("gpt-5-nano", ScriptedAnswer.Error(500));

        var direct = await CallAsync("/api/v2/model/chat/completion", $$"""{"bridge_id":"{{agent}}","user":"x"}""");
        var model = await CallAsync("/v1/chat/completions", $$"""{"model":"agent:{{agent}}","messages":[{"role":"user","content":"x"}]}""");
        await CallAsync("/api/v2/model/testcases", $$$"""
            {"bridge_id":"{{{agent}}}","version_id":"{{{await site.ReadAsync("select id from gateway.agent_versions where agent_id = $1", agent)}}}","testcase_data":{"conversation":[{"role":"user","content":"x"}],"expected":{"response":"x"} } }
            """);
        await CallAsync("/api/v2/model/chat/completion", """
            {"service":"openai","configuration":{"model":"gpt-5-nano"},"user":"x","settings":{"fall_back":{"is_enable":true,"service":"openai","model":"gpt-5-mini"}}}
            """);

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (direct, model));
        Assert.Empty(site.OpenAi.RequestsFor("gpt-5-mini"));

        async Task<HttpStatusCode> CallAsync(string path, string body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json"),
            };
            request.Headers.TryAddWithoutValidation("Authorization", key.Token);
            if (path.StartsWith("/v1", StringComparison.Ordinal))
            {
                request.Headers.Authorization = new("Bearer", key.Token);
            }
            using var answer = await site.Host.Client.SendAsync(request, Ct);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task What_a_provider_says_of_one_key_is_not_written_down_to_the_key_of_another()
    {
        var (wrong, right) = (await KeyAsync("openai", "not-the-key"), await KeyAsync("anthropic", site.Anthropic.Key));
        var agent = await site.AgentAsync($$$$"""
            {"service":"openai","configuration":{"model":"o4-mini","prompt":"x"},"apikey_object_id":{"openai":"{{{{wrong}}}}","anthropic":"{{{{right}}}}"},
             "fall_back":{"is_enable":true,"service":"anthropic","model":"claude-haiku-4-5"}}
            """);
        site.Anthropic.EnqueueFor("claude-haiku-4-5", ScriptedAnswer.Error(500));

        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""");

        Assert.Equal(("invalid", "new"), (await StatusAsync(wrong), await StatusAsync(right)));

        async Task<string> KeyAsync(string service, string secret)
        {
            var id = Stoa.Gateway.HexId.Create(TimeProvider.System);
            await site.ExecuteAsync(
                "insert into gateway.provider_keys values ($1, $2, null, $1, $3, $4, 'sk-*', 'new', '{}', now(), now())",
                id, Organization.DefaultId, service,
                site.Host.Services.GetRequiredService<Stoa.Gateway.ProviderKeys.KeySeal>().Seal(secret));
            return id;
        }

        async Task<string> StatusAsync(string key) =>
            (string)(await site.ReadAsync("select status from gateway.provider_keys where id = $1", key))!;
    }

    [Fact]
    public async Task A_conversation_comes_back_from_an_agent_that_is_gone()
    {
        var sales = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4.1-mini","prompt":"Sales"}}""");
        var desk = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4.1","prompt":"Desk"}}""");
        site.OpenAi.EnqueueFor("gpt-4.1", ScriptedAnswer.Text("Hello."), ScriptedAnswer.Text("Desk again."));
        await site.RunAsync($$"""{"bridge_id":"{{desk}}","user":"Hi","thread_id":"back"}""");
        await site.ExecuteAsync("update gateway.threads set sticky_agent_id = $1, sticky_at = now() where agent_id = $2", sales, desk);
        await site.ExecuteAsync("update gateway.agents set deleted_at = now() where id = $1", sales);

        var (status, body) =
            await site.RunAsync($$"""{"bridge_id":"{{desk}}","user":"Anybody?","thread_id":"back","orchestrator_flag":true}""");

        Assert.Equal((HttpStatusCode.OK, "Desk again."), (status, (string?)body["response"]?["data"]?["content"]));
    }

    [Fact]
    public async Task A_model_hands_a_conversation_over_only_where_the_caller_lets_it()
    {
        var sales = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4o-mini","prompt":"Sales"}}""");
        var desk = await site.AgentAsync($$$"""
            {"service":"openai","configuration":{"model":"gpt-5","prompt":"Desk"},"connected_agents":{"sales":{"bridge_id":"{{{sales}}}"} } }
            """);
        site.OpenAi.EnqueueFor("gpt-5", ScriptedAnswer.ToolCalls(
            new ScriptedCall("sales", """{"_query":"Tea?","action_type":"transfer"}""")), ScriptedAnswer.Text("We have tea."));
        site.OpenAi.EnqueueFor("gpt-4o-mini", ScriptedAnswer.Text("Yes."));

        var (_, body) = await site.RunAsync($$"""{"bridge_id":"{{desk}}","user":"Tea?"}""");

        Assert.Equal(
            ("We have tea.", desk), ((string)body["response"]!["data"]!["content"]!, (string)body["response"]!["data"]!["bridge_id"]!));
    }

    [Fact]
    public async Task What_is_asked_about_a_cached_answer_is_no_cached_answer()
    {
        var agent = await site.AgentAsync("""
            {"service":"openai","configuration":{"model":"o3","prompt":"x"},"cache_on":true,"guardrails":{"is_enabled":true,"check_output":true}}
            """);
        var safe = ScriptedAnswer.Text("""{"is_safe":true}""");
        site.OpenAi.EnqueueFor("o3", safe, ScriptedAnswer.Text("Hello."), safe, safe, safe);

        await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""");
        var (_, second) = await site.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi"}""");
        while (await site.ReadAsync("select count(*) from gateway.usage where agent_id = $1", agent) is < 6L)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }

        Assert.True((bool)second["response"]!["data"]!["is_cached"]!);
        Assert.Equal(1L, await site.ReadAsync("select count(*) from gateway.usage where agent_id = $1 and is_cached", agent));
    }

    [Fact]
    public async Task The_tokens_of_a_key_are_counted_for_agents_too()
    {
        var key = await site.Host.Services.GetRequiredService<KeyStore>()
            .CreateAsync(Organization.DefaultId, new("few", TokensPerMinute: 100), "test", Ct);
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4o","prompt":"x"}}""");
        site.OpenAi.EnqueueFor("gpt-4o", ScriptedAnswer.Text("Long.").WithUsage(new(60, 60)));

        HttpStatusCode[] statuses = [await CallAsync(), await CallAsync()];

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], statuses);

        async Task<HttpStatusCode> CallAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v2/model/chat/completion")
            {
                Content = new StringContent($$"""{"bridge_id":"{{agent}}","user":"Hi"}""", System.Text.Encoding.UTF8, "application/json"),
            };
            request.Headers.TryAddWithoutValidation("pauthkey", key.Token);
            using var answer = await site.Host.Client.SendAsync(request, Ct);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task A_limit_of_next_to_nothing_is_none_and_breaks_nothing()
    {
        var agent = await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4o","prompt":"x"},"bridge_limit":1e-20}""");

        Assert.Equal(0L, await site.ReadAsync("select count(*) from gateway.budgets where subject = $1", agent));
    }

    [Fact]
    public async Task The_history_stands_in_months()
    {
        var month = string.Create(CultureInfo.InvariantCulture, $"runs_{TimeProvider.System.GetUtcNow():yyyyMM}");

        Assert.Equal(month, await site.ReadAsync(
            $"select relname::text from pg_inherits join pg_class on oid = inhrelid where inhparent = 'gateway.runs'::regclass and relname = '{month}'"));
    }

    [Fact]
    public async Task Who_may_no_longer_listen_is_cut_off()
    {
        var clock = new FakeClock();
        var streams =
            new PushStreams(site.Host.Services.GetRequiredService<PushHub>(), site.Host.Services.GetRequiredService<Drain>(), clock);
        var asked = 0;

        var listening = streams.StreamAsync(
            new DefaultHttpContext(), Organization.DefaultId, "revoked", () => ValueTask.FromResult(Interlocked.Increment(ref asked) < 2));
        while (!listening.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Ct);
        }

        await listening;
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task A_listener_who_does_not_read_is_cut_off_before_he_fills_the_memory()
    {
        using var listener = site.Host.Services.GetRequiredService<PushHub>().Open(Organization.DefaultId);
        Assert.True(await listener.JoinAsync("slow", seen: 0, Ct));
        var large = new string('x', 4 << 20);

        for (var number = 1; number <= 20; number++)
        {
            listener.Offer(new(number, "slow", large));
        }

        var kept = 0;
        while (listener.TryRead(out _))
        {
            kept++;
        }
        Assert.InRange(kept, 1, 8);
        Assert.False(await listener.WaitAsync(Ct));
    }
}
