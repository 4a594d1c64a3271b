using Microsoft.Extensions.Options;
using Stoa.Gateway;
using Stoa.Gateway.Cache;
using Stoa.Gateway.Usage;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Usage;

public sealed class ForgetUsageTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_older_than_it_shall_be_kept_is_gone_and_the_sums_of_days_stay()
    {
        var now = TimeProvider.System.GetUtcNow();
        var store = new UsageStore(database.Source, TimeProvider.System);
        await store.MakeMonthsAsync(Ct);
        UsageRecord[] rows =
        [
            Row(now), Row(now.AddMonths(-14).AddDays(-1)), Row(now.AddMonths(-40)),
        ];
        await store.AddAsync(Guid.CreateVersion7(), default, new(1, 1), rows, Ct);
        var cache = new CacheStore(database.Source);
        await cache.AddAsync(CacheKey.Of(Organization.DefaultId, "old", []), new("x"u8.ToArray(), new(1, 1)), now.AddSeconds(-1), Ct);
        await cache.AddAsync(CacheKey.Of(Organization.DefaultId, "new", []), new("x"u8.ToArray(), new(1, 1)), now.AddHours(1), Ct);

        await new ForgetUsageHandler(database.Source, cache, Options.Create(new GatewayOptions()), TimeProvider.System)
            .RunAsync(new(), null!, Ct);

        Assert.Equal(1, await database.ScalarAsync<long>("select count(*) from gateway.usage"));
        Assert.Equal(2, await database.ScalarAsync<long>("select count(*) from gateway.usage_quarters"));
        Assert.Equal(3, await database.ScalarAsync<long>("select count(*) from gateway.usage_days"));
        Assert.Equal(1, await database.ScalarAsync<long>("select count(*) from gateway.cached_answers"));
    }

    private static UsageRecord Row(DateTimeOffset at) => UsageSpoolTests.Record(1) with { Id = Guid.CreateVersion7(), At = at };
}
