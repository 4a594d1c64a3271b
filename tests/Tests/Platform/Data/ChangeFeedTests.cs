using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Data;

public sealed class ChangeFeedTests : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly TestDatabase database;
    private readonly DatabaseReadiness readiness = new();
    private readonly ChangeFeed feed;

    // Backends of one feed are told from those of others by this name.
    private readonly string name = $"feed_{Guid.CreateVersion7():n}";
    private readonly NpgsqlDataSource source;

    public ChangeFeedTests(TestDatabase database)
    {
        this.database = database;
        source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { ApplicationName = name });
        feed = new(source, readiness, TimeProvider.System, NullLogger<ChangeFeed>.Instance);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        readiness.Migrated();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await feed.StopAsync(Ct);
        feed.Dispose();
        await source.DisposeAsync();
    }

    [Fact]
    public async Task A_subscriber_looks_first_and_then_hears_each_change_of_his_channel_in_order()
    {
        var heard = Subscribe("keys_changed");
        var other = Subscribe("prices_changed");
        await feed.StartAsync(Ct);
        Assert.Null(await heard.ReadAsync(Ct));
        Assert.Null(await other.ReadAsync(Ct));

        await NotifyAsync("keys_changed", "one");
        await NotifyAsync("prices_changed", "");
        await NotifyAsync("keys_changed", "two");

        Assert.Equal("one", await heard.ReadAsync(Ct));
        Assert.Equal("two", await heard.ReadAsync(Ct));
        Assert.Equal("", await other.ReadAsync(Ct));
    }

    [Fact]
    public async Task A_change_is_heard_when_its_transaction_commits_and_not_when_it_does_not()
    {
        var heard = Subscribe("keys_changed");
        await feed.StartAsync(Ct);
        Assert.Null(await heard.ReadAsync(Ct));

        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await using (var undone = await connection.BeginTransactionAsync(Ct))
        {
            await ChangeFeed.NotifyAsync(connection, "keys_changed", "undone", Ct);
            await undone.RollbackAsync(Ct);
        }
        await using (var kept = await connection.BeginTransactionAsync(Ct))
        {
            await ChangeFeed.NotifyAsync(connection, "keys_changed", "kept", Ct);
            await kept.CommitAsync(Ct);
        }

        Assert.Equal("kept", await heard.ReadAsync(Ct));
    }

    [Fact]
    public async Task Who_subscribes_while_the_feed_runs_is_served_on_the_same_connection()
    {
        var first = Subscribe("keys_changed");
        await feed.StartAsync(Ct);
        Assert.Null(await first.ReadAsync(Ct));
        var backend = await BackendAsync();

        var late = Subscribe("prices_changed");
        Assert.Null(await late.ReadAsync(Ct));
        await NotifyAsync("prices_changed", "one");
        await NotifyAsync("keys_changed", "two");

        Assert.Equal("one", await late.ReadAsync(Ct));
        Assert.Equal("two", await first.ReadAsync(Ct));
        Assert.Equal(backend, await BackendAsync());
    }

    [Fact]
    public async Task After_a_lost_connection_everyone_is_told_to_look_again()
    {
        var heard = Subscribe("keys_changed");
        await feed.StartAsync(Ct);
        Assert.Null(await heard.ReadAsync(Ct));

        await database.ExecuteAsync($"select pg_terminate_backend({await BackendAsync()})");

        Assert.Null(await heard.ReadAsync(Ct));
        await NotifyAsync("keys_changed", "after");
        Assert.Equal("after", await heard.ReadAsync(Ct));
    }

    [Fact]
    public async Task A_subscriber_that_fails_looks_again_and_disturbs_nobody()
    {
        var calls = Channel.CreateUnbounded<string?>();
        var failures = 0;
        using var failing = feed.Subscribe("keys_changed", async (payload, ct) =>
        {
            await calls.Writer.WriteAsync(payload, ct);
            if (payload is "bad" && failures++ == 0)
            {
                throw new InvalidOperationException("on purpose");
            }
        });
        var other = Subscribe("keys_changed");
        await feed.StartAsync(Ct);
        Assert.Null(await calls.Reader.ReadAsync(Ct));
        Assert.Null(await other.ReadAsync(Ct));

        await NotifyAsync("keys_changed", "bad");

        Assert.Equal("bad", await other.ReadAsync(Ct));
        Assert.Equal("bad", await calls.Reader.ReadAsync(Ct));
        Assert.Null(await calls.Reader.ReadAsync(Ct));
    }

    [Fact]
    public async Task A_subscriber_that_is_far_behind_is_told_to_look_again_instead()
    {
        var gate = new TaskCompletionSource();
        var calls = Channel.CreateUnbounded<string?>();
        using var slow = feed.Subscribe("keys_changed", async (payload, ct) =>
        {
            await gate.Task;
            await calls.Writer.WriteAsync(payload, ct);
        });
        var other = Subscribe("keys_changed");
        await feed.StartAsync(Ct);
        Assert.Null(await other.ReadAsync(Ct));

        await database.ExecuteAsync("select pg_notify('keys_changed', number::text) from generate_series(1, 5000) as number");
        while (await other.ReadAsync(Ct) is not (null or "5000"))
        {
        }
        gate.SetResult();

        Assert.Null(await calls.Reader.ReadAsync(Ct));
        Assert.Null(await calls.Reader.ReadAsync(Ct));
    }

    [Theory]
    [InlineData("keys; drop")]
    [InlineData("keys\n")]
    [InlineData("Keys")]
    [InlineData("2keys")]
    [InlineData("")]
    public void A_channel_is_a_plain_name(string channel) =>
        Assert.Throws<ArgumentException>(() => feed.Subscribe(channel, (_, _) => Task.CompletedTask));

    [Fact]
    public void A_name_of_a_channel_may_be_as_long_as_the_server_keeps_it()
    {
        feed.Subscribe("_k2" + new string('y', 60), (_, _) => Task.CompletedTask).Dispose();

        Assert.Throws<ArgumentException>(() => feed.Subscribe(new string('y', 64), (_, _) => Task.CompletedTask));
    }

    private ChannelReader<string?> Subscribe(string channel)
    {
        var heard = Channel.CreateUnbounded<string?>();
        feed.Subscribe(channel, (payload, ct) => heard.Writer.WriteAsync(payload, ct).AsTask());
        return heard.Reader;
    }

    private async Task NotifyAsync(string channel, string payload)
    {
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await ChangeFeed.NotifyAsync(connection, channel, payload, Ct);
    }

    private Task<int> BackendAsync() =>
        database.ScalarAsync<int>($"select pid from pg_stat_activity where application_name = '{name}'");
}
