using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Gateway.Metrics;

public sealed class AnalyticsTests(GatewaySite site) : IClassFixture<GatewaySite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_filter_the_threads_are_listed_newest_first_and_in_pages()
    {
        var agent = await AddAsync(threads: 5, runs: 3);

        var first = await site.GetAsync($"/api/analytics/agent/{agent}?page_size=2");
        var last = await site.GetAsync($"/api/analytics/agent/{agent}?page_size=2&page=3");

        Assert.Equal(["thread-0", "thread-1"], first["threads"]!.AsArray().Select(thread => (string?)thread!["thread_id"]));
        Assert.Equal(["thread-4"], last["threads"]!.AsArray().Select(thread => (string?)thread!["thread_id"]));
        Assert.Equal(3, first["threads"]![0]!["message"]!.AsArray().Count);
        Assert.Equal((5, 3), ((int)first["pagination"]!["total"]!, (int)first["pagination"]!["total_pages"]!));
    }

    [Theory]
    [InlineData("model=model-1", 1)]
    [InlineData("model=model-1&model=model-2", 2)]
    [InlineData("service=openai,anthropic", 3)]
    [InlineData("user_feedback=good", 1)]
    [InlineData("user_feedback=bad", 1)]
    [InlineData("error=true", 1)]
    [InlineData("keyword=QUESTION 2", 1)]
    [InlineData("keyword=thread-1", 1)]
    [InlineData("version_id=v-1", 1)]
    [InlineData("version_id=' or true --", 0)]
    public async Task With_a_filter_only_what_matches_is_answered(string filter, int threads)
    {
        var agent = await AddAsync(threads: 3, runs: 2);
        var answer = await site.GetAsync($"/api/analytics/agent/{agent}?{filter}");
        Assert.Equal(threads, answer["data"]!.AsArray().Count);
        Assert.NotNull(answer["total_user_feedback_count"]);
    }

    [Theory]
    [InlineData("tool_id=script-1", 1)]
    [InlineData("tool_id=weather-1,weather-2", 2)]
    [InlineData("tool_id={function}", 1)]
    [InlineData("tool_id=$[*]", 0)]
    [InlineData("agent_id=called-2", 1)]
    [InlineData("agent_id=called-0&agent_id=called-1", 2)]
    [InlineData("agent_id=called-1&tool_id=script-2", 0)]
    [InlineData("knowledgebase_id=book-0", 1)]
    [InlineData("review_failed=true", 1)]
    [InlineData("""filter_by={"service":"anthropic","model":"model-2"}""", 1)]
    [InlineData("""filter_by={"sub_thread_id":"nowhere"}""", 0)]
    public async Task Runs_are_found_by_what_they_called(string filter, int threads)
    {
        var agent = await AddAsync(threads: 3, runs: 2);
        var function = Stoa.Gateway.HexId.Create(TimeProvider.System);
        await ExecuteAsync("""
            update gateway.runs set finish_reason = case thread_id when 'thread-2' then 'blocked' else 'completed' end,
              document = jsonb_build_object('tools_call_data', jsonb_build_array(jsonb_build_object(
                'a', jsonb_build_object('id', 'script-' || right(thread_id, 1), 'name', 'weather-' || right(thread_id, 1), 'data', '{"metadata":{"type":"function"}}'::jsonb),
                'b', jsonb_build_object('id', 'x', 'name', 'x', 'data',
                  jsonb_build_object('metadata', jsonb_build_object('type', 'agent', 'agent_id', 'called-' || right(thread_id, 1))))),
                jsonb_build_object('c', jsonb_build_object('name', 'get_knowledge_base_data', 'args',
                  jsonb_build_object('resource_id', 'book-' || right(thread_id, 1)),
                  'data', '{"metadata":{"type":"RAG"}}'::jsonb))))
            where agent_id = $1
            """, agent);
        await ExecuteAsync("""
            insert into gateway.tools (id, organization_id, script_id, title, document, created_at, updated_at)
            values ($1, $2, 'script-0', $1, '{}', now(), now()) on conflict (organization_id, script_id) do update set id = excluded.id
            """, function, Organization.DefaultId);

        var answer = await site.GetAsync(
            $"/api/analytics/agent/{agent}?{Uri.EscapeDataString(filter.Replace("{function}", function, StringComparison.Ordinal)).Replace("%3D", "=", StringComparison.Ordinal).Replace("%26", "&", StringComparison.Ordinal)}");
        var facets = (await site.GetAsync($"/api/analytics/agent/{agent}/filters"))["data"]!;

        Assert.Equal(threads, answer["data"]!.AsArray().Count);
        Assert.Equal(["script-0", "script-1", "script-2"], facets["tool_id"]!.AsArray().Select(tool => (string?)tool));
        Assert.Equal(["called-0", "called-1", "called-2"], facets["agent_id"]!.AsArray().Select(tool => (string?)tool));
        Assert.Equal(["book-0", "book-1", "book-2"], facets["knowledgebase_id"]!.AsArray().Select(tool => (string?)tool));
    }

    [Fact]
    public async Task A_summary_and_the_facets_tell_of_all_runs()
    {
        var agent = await AddAsync(threads: 3, runs: 2);
        var summary = (await site.GetAsync($"/api/analytics/agent/{agent}?analytics=true"))["summary"]!;
        var facets = (await site.GetAsync($"/api/analytics/agent/{agent}/filters"))["data"]!;
        Assert.Equal((6, 2, 3), ((int)summary["total_runs"]!, (int)summary["error_count"]!, (int)summary["thread_count"]!));
        Assert.Equal(["model-0", "model-1", "model-2"], facets["model"]!.AsArray().Select(model => (string?)model));
    }

    [Fact]
    public async Task Another_organizations_agent_has_no_history_here()
    {
        var agent = await AddAsync(threads: 1, runs: 1, Guid.CreateVersion7());
        Assert.Empty((await site.GetAsync($"/api/analytics/agent/{agent}"))["threads"]!.AsArray());
        Assert.Empty((await site.GetAsync($"/api/analytics/agent/{agent}/filters"))["data"]!["model"]!.AsArray());
    }

    [Theory]
    [InlineData("range=0")]
    [InlineData("range=366")]
    [InlineData("range=xh")]
    [InlineData("range=h")]
    [InlineData("page=0")]
    [InlineData("page_size=1000")]
    [InlineData("start_date=never")]
    [InlineData("keyword=%00")]
    [InlineData("tool_id=%00")]
    [InlineData("filter_by=[]")]
    [InlineData("filter_by={\"service\":\"%5Cu0000\"}")]
    [InlineData("filter_by={\"organization_id\":\"x\"}")]
    public async Task A_wrong_query_is_refused(string query)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/analytics/agent/a?{query}")
        {
            Headers = { Authorization = new("Bearer", "stoa-dev") },
        };
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    private async Task<string> AddAsync(int threads, int runs, Guid? organization = null)
    {
        var agent = Stoa.Gateway.HexId.Create(TimeProvider.System);
        await using var command = site.Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("""
            insert into gateway.runs (id, created_at, updated_at, organization_id, agent_id, version_id, thread_id, sub_thread_id,
              message_id, service, model,
              is_success, user_feedback, user_message, answer, document)
            select gen_random_uuid(), now() - thread * interval '1 hour' - run * interval '1 minute',
              now() - thread * interval '1 hour' - run * interval '1 minute',
              $1, $2, 'v-' || thread, 'thread-' || thread, 'thread-' || thread, 'message-' || run,
                case thread when 0 then 'openai' else 'anthropic' end,
              'model-' || thread, thread <> 1, thread, 'Question ' || thread, 'answer', '{}'
            from generate_series(0, $3 - 1) as thread, generate_series(0, $4 - 1) as run
            """);
        foreach (var value in (object[])[organization ?? Organization.DefaultId, agent, threads, runs])
        {
            command.Parameters.Add(new() { Value = value });
        }
        await command.ExecuteNonQueryAsync(Ct);
        return agent;
    }

    private async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = site.Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }
        await command.ExecuteNonQueryAsync(Ct);
    }
}
