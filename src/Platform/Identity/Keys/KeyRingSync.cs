using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Keeps the <see cref="KeyRing"/> like the table: reads it on change and once a minute, writes back what was used.</summary>
internal sealed partial class KeyRingSync(
    KeyRing ring, NpgsqlDataSource source, ChangeFeed changes, DatabaseReadiness readiness, TimeProvider time, ILogger<KeyRingSync> logger)
    : BackgroundService
{
    internal const string Channel = "platform_keys";

    private static readonly TimeSpan ReloadEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    // Holds one: many changes at once are one reload.
    private readonly Channel<bool> reloads = System.Threading.Channels.Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Reads all live keys. They are few and small: ten thousand are some megabytes and some tens of milliseconds.</summary>
    internal async Task ReloadAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand($"""
            select {KeyRow.Columns} from platform.api_keys
            where revoked_at is null and (expires_at is null or expires_at > @now)
            """);
        command.Parameters.AddWithValue("now", time.GetUtcNow());
        var keys = new List<ApiKey>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            keys.Add(KeyRow.ReadForRing(reader));
        }
        ring.Replace(keys);
    }

    internal async Task SaveUsesAsync(CancellationToken ct)
    {
        var uses = ring.Unsaved();
        if (uses.Count == 0)
        {
            return;
        }
        await using var command = source.CreateCommand("""
            update platform.api_keys set last_used_at = used.at
            from unnest(@keys, @instants) as used (id, at)
            where api_keys.id = used.id and (last_used_at is null or last_used_at < used.at)
            """);
        command.Parameters.Add(new("keys", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = uses.ConvertAll(use => use.Key.Id) });
        command.Parameters.Add(new("instants", NpgsqlDbType.Array | NpgsqlDbType.TimestampTz) { Value = uses.ConvertAll(use => use.At) });
        await command.ExecuteNonQueryAsync(ct);
        ring.Saved(uses);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(() => RunAsync(stoppingToken));

    private async Task RunAsync(CancellationToken stoppingToken)
    {
        await readiness.WhenReady(stoppingToken);
        using var subscription = changes.Subscribe(Channel, (_, _) =>
        {
            reloads.Writer.TryWrite(true);
            return Task.CompletedTask;
        });
        await Task.WhenAll(KeepLoadedAsync(stoppingToken), KeepSavedAsync(stoppingToken));
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // When a key was last used may be a little off; a stop may not fail for it.
        await ((Task)TryAsync(SaveUsesAsync, cancellationToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task KeepLoadedAsync(CancellationToken ct)
    {
        while (true)
        {
            var isDone = await TryAsync(ReloadAsync, ct);
            await WaitForChangeAsync(isDone ? ReloadEvery : RetryAfter, ct);
        }
    }

    private async Task KeepSavedAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(SaveEvery, time);
        while (await timer.WaitForNextTickAsync(ct))
        {
            await TryAsync(SaveUsesAsync, ct);
        }
    }

    private async Task WaitForChangeAsync(TimeSpan longest, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            await reloads.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // Nothing changed that we heard of: look all the same.
        }
    }

    private async Task<bool> TryAsync(Func<CancellationToken, Task> work, CancellationToken ct)
    {
        try
        {
            await work(ct);
            return true;
        }
        catch (Exception error) when (!ct.IsCancellationRequested)
        {
            // The database is away: the keys in memory go on working, and the next round tries again.
            LogFailed(error.Message);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning, "API keys could not be synchronized with the database: {Problem}")]
    private partial void LogFailed(string problem);
}
