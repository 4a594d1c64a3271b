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
