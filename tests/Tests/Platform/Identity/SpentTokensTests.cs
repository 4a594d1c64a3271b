using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity.Jose;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

public sealed class SpentTokensTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_host_refuses_what_was_spent_on_one_also_after_a_restart()
    {
        await using var one = await Node.StartAsync(database.Source);
        await using var two = await Node.StartAsync(database.Source);

        Assert.True(await one.Spent.SpendAsync("a.token", TimeProvider.System.GetUtcNow().AddHours(1), Ct));

        Assert.True(one.Spent.Contains("a.token"));
        await Until(() => two.Spent.Contains("a.token"));
        Assert.False(two.Spent.Contains("another.token"));
        await using var three = await Node.StartAsync(database.Source);
        Assert.True(three.Spent.Contains("a.token"));
    }

    [Fact]
    public async Task Of_a_hundred_who_spend_the_same_at_once_on_two_hosts_one_is_first()
    {
        await using var one = await Node.StartAsync(database.Source);
        await using var two = await Node.StartAsync(database.Source);

        var first = await Task.WhenAll(Enumerable.Range(0, 100).Select(index =>
            (index % 2 == 0 ? one : two).Spent.SpendAsync("one-time", end: null, Ct)));

        Assert.Single(first, isFirst => isFirst);
    }

    [Fact]
    public async Task What_would_have_ended_by_itself_is_forgotten()
    {
        await database.ExecuteAsync("insert into platform.spent_tokens values (sha256('old'), now() - interval '1 second')");

        await using var node = await Node.StartAsync(database.Source);

        Assert.False(node.Spent.Contains("old"));
        Assert.Equal(0, await database.ScalarAsync<long>("select count(*) from platform.spent_tokens where token_hash = sha256('old')"));
    }

    [Fact]
    public async Task Before_the_table_was_read_nobody_can_say_that_a_token_holds()
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        using var feed = new ChangeFeed(source, new DatabaseReadiness(), TimeProvider.System, NullLogger<ChangeFeed>.Instance);
        var spent = new SpentTokens(source, feed, TimeProvider.System);

        Assert.Equal(FailureKind.Unavailable, Assert.Throws<Failure>(() => spent.Contains("a.token")).Kind);
    }

    private static async Task Until(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }
    }

    private sealed class Node(ChangeFeed feed, SpentTokens spent) : IAsyncDisposable
    {
        public SpentTokens Spent => spent;

        public static async Task<Node> StartAsync(NpgsqlDataSource source)
        {
            var readiness = new DatabaseReadiness();
            readiness.Migrated();
            var feed = new ChangeFeed(source, readiness, TimeProvider.System, NullLogger<ChangeFeed>.Instance);
            var spent = new SpentTokens(source, feed, TimeProvider.System);
            await spent.StartAsync(Ct);
            await feed.StartAsync(Ct);
            await spent.WhenLoaded(Ct);
            return new(feed, spent);
        }

        public async ValueTask DisposeAsync()
        {
            await feed.StopAsync(CancellationToken.None);
            await spent.StopAsync(CancellationToken.None);
            feed.Dispose();
        }
    }
}
