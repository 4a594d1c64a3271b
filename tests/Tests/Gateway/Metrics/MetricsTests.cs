using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Gateway.Usage;
using Stoa.Platform.Identity;
using Stoa.Tests.Gateway.Usage;

namespace Stoa.Tests.Gateway.Metrics;

public sealed class MetricsTests(GatewaySite site) : IClassFixture<GatewaySite>
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private NpgsqlDataSource Source => site.Host.Services.GetRequiredService<NpgsqlDataSource>();

    public static TheoryData<int, string> RangesAndFactors => new(
        from range in Enumerable.Range(1, 10)
        from factor in (string[])["bridge_id", "version_id", "apikey_id", "thread_id", "service", "model", "created_at"]
        select (range, factor));

    [Theory]
    [MemberData(nameof(RangesAndFactors))]
    public async Task The_sums_of_every_range_by_every_factor_are_those_of_the_rows(int range, string factor)
    {
        var service = $"sums-{range}-{factor}";
        var agents = Enumerable.Range(0, 3).Select(_ => Stoa.Gateway.HexId.Create(TimeProvider.System)).ToArray();
        TimeSpan[] lengths =
            [Hours(1), Hours(3), Hours(6), Hours(12), Hours(24), Hours(48), Hours(168), Hours(336), Hours(720), Hours(1_000)];
        var rows = Enumerable.Range(0, 200).Select(number => UsageSpoolTests.Record(number) with
        {
            Id = Guid.CreateVersion7(),
            At = Now - (lengths[range - 1] * (number / 300.0)),
            OrganizationId = Organization.DefaultId,
            Provider = service,
            Model = $"model-{number % 2}",
            AgentId = agents[number % 3],
            VersionId = agents[number % 2],
            ProviderKeyId = agents[number % 3],
            ThreadId = $"thread-{number % 7}",
            Outcome = number % 10 == 0 ? CallOutcome.Failed : CallOutcome.Succeeded,
            Cost = number % 5 == 0 ? null : 0.0000000123m * number,
            LatencyMs = number * 10,
        }).ToList();
        await AddAsync(rows);

        var answer = await PostAsync("/api/metrics", $$"""
            {"range":{{range}},"factor":"{{factor}}","service":"{{service}}","start_date":"{{(Now - Hours(1_001)).UtcDateTime:O}}","end_date":"{{(Now + Hours(1)).UtcDateTime:O}}"}
            """);

        var data = answer["data"]!.AsArray();
        Assert.Equal((200, "Successfully get request data"), ((int)answer["statusCode"]!, (string?)answer["message"]));
        Assert.Equal(rows.Sum(row => row.Cost ?? 0), data.Sum(row => (decimal)row!["cost_sum"]!));
        Assert.Equal(rows.Sum(row => (long)row.LatencyMs) / 1_000m, data.Sum(row => (decimal)row!["latency_sum"]!));
        Assert.Equal(180, data.Sum(row => (int)row!["success_count"]!));
        Assert.Equal(rows.Sum(row => row.InputTokens + row.OutputTokens), data.Sum(row => (long)row!["total_token_count"]!));
        Assert.Equal(40, data.Sum(row => (int)row!["cost_unknown_count"]!));
        var values = factor switch { "bridge_id" or "apikey_id" => 3, "version_id" or "model" => 2, "thread_id" => 7, _ => 1 };
        Assert.Equal(values, data.Select(row => (string?)row![factor == "created_at" ? "nothing" : factor]).Distinct().Count());
        var times = data.Select(row => (DateTime)row!["created_at"]!).ToList();
        Assert.Equal(times.Order(), times);
    }

    [Theory]
    [InlineData("bridge_id")]
    [InlineData("version_id")]
    [InlineData("apikey_id")]
    [InlineData("thread_id")]
    [InlineData("model")]
    public async Task A_filter_leaves_only_what_has_its_value(string filter)
    {
        var wanted = Stoa.Gateway.HexId.Create(TimeProvider.System);
        var row = UsageSpoolTests.Record(
            1) with { Id = Guid.CreateVersion7(), At = Now, OrganizationId = Organization.DefaultId, Provider = $"filter-{filter}" };
        await AddAsync([row, (filter switch
        {
            "bridge_id" => row with { AgentId = wanted },
            "version_id" => row with { VersionId = wanted },
            "apikey_id" => row with { ProviderKeyId = wanted },
            "thread_id" => row with { ThreadId = wanted },
            _ => row with { Model = wanted },
        }) with { Id = Guid.CreateVersion7() }]);

        var answer = await PostAsync("/api/metrics", $$"""{"range":"1","factor":"created_at","{{filter}}":"{{wanted}}"}""");

        Assert.Equal(1, answer["data"]!.AsArray().Sum(one => (int)one!["record_count"]!));
    }

    [Theory]
    [InlineData("""{"range":1}""")]
    [InlineData("""{"factor":"model"}""")]
    [InlineData("""{"range":11,"factor":"model"}""")]
    [InlineData("""{"range":1,"factor":"model; drop table gateway.usage"}""")]
    [InlineData("""{"range":1,"factor":"organization_id"}""")]
    [InlineData("""{"range":10,"factor":"model"}""")]
    [InlineData("""{"range":10,"factor":"model","start_date":"yesterday"}""")]
    [InlineData("""{"range":10,"factor":"model","start_date":"2026-02-01T00:00:00Z","end_date":"2026-01-01T00:00:00Z"}""")]
    [InlineData("""{"range":10,"factor":"model","start_date":"0001-01-01T00:00:00Z","end_date":"9999-12-31T23:59:59Z"}""")]
    [InlineData("""{"range":1,"factor":"model","service":"\u0000"}""")]
    [InlineData("""{"range":{},"factor":[]}""")]
    [InlineData("[]")]
    [InlineData("not json")]
    public async Task A_wrong_question_is_answered_in_the_words_of_the_wire(string body)
    {
        using var answer = await site.PostAsync("/api/metrics", body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.False((bool)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!["success"]!);
    }

    [Fact]
    public async Task An_organization_sees_its_own_calls_only()
    {
        var agent = Stoa.Gateway.HexId.Create(TimeProvider.System);
        await AddAsync([UsageSpoolTests.Record(1) with { At = Now, OrganizationId = Guid.CreateVersion7(), AgentId = agent }]);
        Assert.Empty(
            (await PostAsync("/api/metrics", $$"""{"range":9,"factor":"bridge_id","bridge_id":"{{agent}}"}"""))["data"]!.AsArray());
        Assert.DoesNotContain((await PostAsync("/api/metrics/agent", "{}"))["data"]!.AsArray(), row => (string?)row!["bridge_id"] == agent);
    }

    [Fact]
    public async Task Each_agent_has_its_totals_and_when_it_was_last_used()
    {
        var agent = Stoa.Gateway.HexId.Create(TimeProvider.System);
        var rows = Enumerable.Range(1, 5).Select(number => UsageSpoolTests.Record(number) with
        {
            Id = Guid.CreateVersion7(), At = Now - (Hours(10) * number),
            OrganizationId = Organization.DefaultId, AgentId = agent, Cost = number,
        }).ToList();
        await AddAsync(rows);

        var lastDay = await TotalsAsync("{}");
        var all = await TotalsAsync(
            $$"""{"start_date":"{{(Now - Hours(100)).UtcDateTime:O}}","end_date":"{{(Now + Hours(1)).UtcDateTime:O}}"}""");

        Assert.Equal((3m, 15m), ((decimal)lastDay["total_cost"]!, (decimal)all["total_cost"]!));
        Assert.Equal(rows.Sum(row => row.InputTokens + row.OutputTokens), (long)all["total_tokens"]!);
        Assert.Equal((Now - Hours(10)).UtcDateTime, (DateTime)all["last_used_time"]!, TimeSpan.FromMilliseconds(1));

        async Task<JsonNode> TotalsAsync(string body) => (await PostAsync("/api/metrics/agent", body))["data"]!.AsArray()
            .Single(row => (string?)row!["bridge_id"] == agent)!;
    }

    [Fact]
    public async Task Percentiles_are_within_a_factor_of_two()
    {
        var agent = Stoa.Gateway.HexId.Create(TimeProvider.System);
        await AddAsync([.. Enumerable.Range(1, 1_000).Select(number => UsageSpoolTests.Record(number) with
        {
            Id = Guid.CreateVersion7(), At = Now, OrganizationId = Organization.DefaultId, AgentId = agent, LatencyMs = number * 10,
        })]);

        var sums = (await PostAsync(
            "/api/metrics", $$"""{"range":9,"factor":"created_at","bridge_id":"{{agent}}","percentiles":true}"""))["data"]![0]!;

        Assert.InRange((double)sums["latency_p50"]!, 2.5, 10);
        Assert.InRange((double)sums["latency_p95"]!, 4.75, 19);
        Assert.InRange((double)sums["latency_p99"]!, (double)sums["latency_p95"]!, 19.8);
    }

    [Fact]
    public async Task A_call_appears_with_its_tokens()
    {
        using var answer = await site.PostAsync(
            "/v1/chat/completions", """{"model":"openai/listed","messages":[{"role":"user","content":"to be seen"}]}""");
        var record = await site.RecordAsync(answer);
        var data = (await PostAsync(
            "/api/metrics", """{"range":1,"factor":"service","service":"openai","model":"listed"}"""))["data"]!.AsArray();
        Assert.Equal((long)record["input_tokens"]! + (long)record["output_tokens"]!, data.Sum(row => (long)row!["total_token_count"]!));
    }

    private static TimeSpan Hours(double hours) => TimeSpan.FromHours(hours);

    private Task AddAsync(IReadOnlyList<UsageRecord> rows) =>
        new UsageStore(Source, TimeProvider.System).AddAsync(Guid.CreateVersion7(), default, new(1, 1), rows, Ct);

    private async Task<JsonNode> PostAsync(string path, string body)
    {
        using var answer = await site.PostAsync(path, body);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
