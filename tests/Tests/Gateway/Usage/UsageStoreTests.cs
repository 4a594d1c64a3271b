using Stoa.Gateway.Usage;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Usage;

public sealed class UsageStoreTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_batch_is_added_once_however_often_it_is_tried()
    {
        var store = new UsageStore(database.Source, TimeProvider.System);
        var spool = Guid.CreateVersion7();
        UsageRecord[] batch = [.. Enumerable.Range(0, 50).Select(UsageSpoolTests.Record)];
        await store.AddAsync(spool, default, new(1, 100), batch, Ct);

        await Assert.ThrowsAsync<IOException>(() => store.AddAsync(spool, default, new(1, 100), batch, Ct));

        Assert.Equal(new SpoolPosition(1, 100), await store.PositionAsync(spool, Ct));
        Assert.Equal(50, await database.ScalarAsync<long>("select count(*) from gateway.usage where model = 'm'"));
        Assert.Equal(50, await database.ScalarAsync<decimal>("select sum(calls) from gateway.usage_quarters where model = 'm'"));
        Assert.Equal(
            await database.ScalarAsync<decimal>("select sum(input_tokens) from gateway.usage where model = 'm'"),
            await database.ScalarAsync<decimal>("select sum(input_tokens) from gateway.usage_quarters where model = 'm'"));
    }

    [Theory]
    [InlineData("usage_quarters", "15 minutes", 15)]
    [InlineData("usage_days", "1 day", 2)]
    public async Task Sums_are_those_of_the_rows(string table, string span, int spans)
    {
        var store = new UsageStore(database.Source, TimeProvider.System);
        var spool = Guid.CreateVersion7();
        var (organization, key) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var model = $"summed in {table}";
        // One in seven minutes from ten in the evening on.
        UsageRecord[] rows = [.. Enumerable.Range(0, 32).Select(index => UsageSpoolTests.Record(index) with
        {
            OrganizationId = organization,
            KeyId = key,
            Model = model,
            At = new DateTimeOffset(2026, 1, 10, 22, 0, 0, TimeSpan.Zero).AddMinutes(index * 7),
            Outcome = (CallOutcome)(index % 3),
            Cost = index % 5 == 0 ? null : index / 100m,
            IsCached = index % 2 == 0,
            LatencyMs = index % 4 == 0 ? 3 : 100,
            CacheReadTokens = index,
            CacheWriteTokens = 2 * index,
            ReasoningTokens = 3 * index,
        })];

        await store.AddAsync(spool, default, new(1, 100), rows[..20], Ct);
        await store.AddAsync(spool, new(1, 100), new(1, 200), rows[20..], Ct);

        Assert.Equal(spans, await database.ScalarAsync<long>($"select count(*) from gateway.{table} where model = '{model}'"));
        Assert.Equal(0, await database.ScalarAsync<long>($"""
            select count(*) from (
              select start, calls, failed, unpriced, cached, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
                reasoning_tokens, cost, latency_ms, latencies[2], latencies[7], last_at
              from gateway.{table} where model = '{model}'
              except
              select date_bin('{span}', at, '2026-01-01 00:00Z'), count(*), count(*) filter (where outcome <> 0),
                count(*) filter (where cost is null), count(*) filter (where is_cached), sum(input_tokens), sum(cache_read_tokens),
                sum(cache_write_tokens), sum(output_tokens), sum(reasoning_tokens), coalesce(sum(cost), 0), sum(latency_ms),
                count(*) filter (where latency_ms = 3), count(*) filter (where latency_ms = 100), max(at)
              from gateway.usage where model = '{model}' group by 1
            ) as different
            """));
    }

    [Fact]
    public async Task Rows_of_any_time_find_a_place()
    {
        var store = new UsageStore(database.Source, TimeProvider.System);
        await store.MakeMonthsAsync(Ct);
        await store.MakeMonthsAsync(Ct);
        var far = UsageSpoolTests.Record(1) with { At = new(2099, 1, 1, 0, 0, 0, TimeSpan.Zero), Model = "far" };
        var now = UsageSpoolTests.Record(1) with { At = TimeProvider.System.GetUtcNow(), Model = "near" };
        await store.AddAsync(Guid.CreateVersion7(), default, new(1, 1), [far, now], Ct);
        Assert.Equal(1, await database.ScalarAsync<long>("select count(*) from gateway.usage_other where model = 'far'"));
        Assert.Equal(0, await database.ScalarAsync<long>("select count(*) from gateway.usage_other where model = 'near'"));
    }

    [Fact]
    public async Task Text_that_no_database_holds_does_not_hold_up_the_others()
    {
        var store = new UsageStore(database.Source, TimeProvider.System);
        await store.AddAsync(Guid.CreateVersion7(), default, new(1, 1), [UsageSpoolTests.Record(1) with { Model = "nul\0here" }], Ct);
        Assert.Equal(1, await database.ScalarAsync<long>("select count(*) from gateway.usage where model like 'nul%here'"));
    }
}
