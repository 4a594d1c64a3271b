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
    public async Task A_wrong_query_is_refused(string query)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/analytics/agent/a?{query}") { Headers = { Authorization = new("Bearer", "stoa-dev") } };
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    private async Task<string> AddAsync(int threads, int runs, Guid? organization = null)
    {
        var agent = Stoa.Gateway.HexId.Create(TimeProvider.System);
        await using var command = site.Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("""
            insert into gateway.runs (id, created_at, updated_at, organization_id, agent_id, version_id, thread_id, sub_thread_id, message_id, service, model,
              is_success, user_feedback, user_message, answer, document)
            select gen_random_uuid(), now() - thread * interval '1 hour' - run * interval '1 minute', now() - thread * interval '1 hour' - run * interval '1 minute',
              $1, $2, 'v-' || thread, 'thread-' || thread, 'thread-' || thread, 'message-' || run, case thread when 0 then 'openai' else 'anthropic' end,
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
}
