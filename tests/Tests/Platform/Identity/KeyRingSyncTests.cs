using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

public sealed class KeyRingSyncTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private KeyStore Keys => new(database.Source, TimeProvider.System);

    [Fact]
    public async Task Every_node_learns_what_happens_to_a_key()
    {
        await using var one = await Node.StartAsync(database.Source);
        await using var two = await Node.StartAsync(database.Source);
        var made = await Keys.CreateAsync(Organization.DefaultId, new("web", Models: ["demo/demo"]), "test", Ct);
        await Until(() => one.Ring.Find(made.Token) is not null && two.Ring.Find(made.Token) is not null);
        Assert.Equal(["demo/demo"], two.Ring.Find(made.Token)!.Models!);

        var next = await Keys.RotateAsync(Organization.DefaultId, made.Row.Id, TimeSpan.FromMinutes(5), "test", Ct);
        await Until(() => one.Ring.Find(next.Token) is not null && two.Ring.Find(next.Token) is not null);
        Assert.NotNull(one.Ring.Find(made.Token));

        await Keys.RevokeAsync(Organization.DefaultId, made.Row.Id, "test", Ct);
        await Until(() => one.Ring.Find(made.Token) is null && two.Ring.Find(made.Token) is null);
        Assert.NotNull(two.Ring.Find(next.Token));
    }

    [Fact]
    public async Task A_key_revoked_by_hand_falls_too()
    {
        await using var node = await Node.StartAsync(database.Source);
        var made = await Keys.CreateAsync(Organization.DefaultId, new("web"), "test", Ct);
        await Until(() => node.Ring.Find(made.Token) is not null);
        await database.ExecuteAsync($"update platform.api_keys set revoked_at = now() where id = '{made.Row.Id}'");
        await Until(() => node.Ring.Find(made.Token) is null);
    }

    [Fact]
    public async Task What_was_used_is_written_when_the_host_stops()
    {
        var made = await Keys.CreateAsync(Organization.DefaultId, new("web"), "test", Ct);
        await using (var node = await Node.StartAsync(database.Source))
        {
            await Until(() => node.Ring.Find(made.Token) is not null);
            node.Ring.Used(node.Ring.Find(made.Token)!);
        }
        Assert.NotNull((await Keys.FindAsync(Organization.DefaultId, made.Row.Id, Ct))!.LastUsedAt);
    }

    [Fact]
    public async Task Without_its_database_a_warmed_ring_goes_on()
    {
        var made = await Keys.CreateAsync(Organization.DefaultId, new("web"), "test", Ct);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var node = await Node.StartAsync(source);
        await source.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => node.Sync.ReloadAsync(Ct));
        Assert.NotNull(node.Ring.Find(made.Token));
    }

    private static async Task Until(Func<bool> isSo)
    {
        while (!isSo())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Ct);
        }
    }

    private sealed class Node(ChangeFeed feed, KeyRingSync sync, KeyRing ring) : IAsyncDisposable
    {
        public KeyRing Ring => ring;

        public KeyRingSync Sync => sync;

        public static async Task<Node> StartAsync(NpgsqlDataSource source)
        {
            var readiness = new DatabaseReadiness();
            readiness.Migrated();
            var feed = new ChangeFeed(source, readiness, TimeProvider.System, NullLogger<ChangeFeed>.Instance);
            var ring = new KeyRing(TimeProvider.System, development: null);
            var sync = new KeyRingSync(ring, source, feed, readiness, TimeProvider.System, NullLogger<KeyRingSync>.Instance);
            await feed.StartAsync(Ct);
            await sync.StartAsync(Ct);
            await ring.WhenLoaded(Ct);
            return new(feed, sync, ring);
        }

        public async ValueTask DisposeAsync()
        {
            await sync.StopAsync(CancellationToken.None);
            await feed.StopAsync(CancellationToken.None);
            sync.Dispose();
            feed.Dispose();
        }
    }
}
