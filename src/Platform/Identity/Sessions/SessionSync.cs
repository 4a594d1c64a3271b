using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Forgets sessions when a change is told, writes back when they were used, and sweeps out those that have ended.</summary>
internal sealed partial class SessionSync(
    SessionCache cache, NpgsqlDataSource source, ChangeFeed changes,
    DatabaseReadiness readiness, TimeProvider time, ILogger<SessionSync> logger)
    : BackgroundService
{
    internal const string Channel = "platform_people";

    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SweepEvery = TimeSpan.FromHours(1);

    private DateTimeOffset swept;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(() => RunAsync(stoppingToken));

    private async Task RunAsync(CancellationToken ct)
    {
        await readiness.WhenReady(ct);
        using var subscription = changes.Subscribe(Channel, (owner, _) =>
        {
            cache.Forget(Guid.TryParse(owner, out var id) ? id : null);
            return Task.CompletedTask;
        });
        using var timer = new PeriodicTimer(SaveEvery, time);
        while (await timer.WaitForNextTickAsync(ct))
        {
            await TryAsync(ct);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // When a session was last used may be a little off; a stop may not fail for it.
        await TryAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task TryAsync(CancellationToken ct)
    {
        cache.Prune();
        try
        {
            await cache.SaveUsesAsync(ct);
            if (time.GetUtcNow() - swept > SweepEvery)
            {
                await SweepAsync(ct);
                swept = time.GetUtcNow();
            }
        }
        catch (Exception error) when (!ct.IsCancellationRequested)
        {
            // The database is away: sessions in memory go on, and the next round tries again.
            LogFailed(error.Message);
        }
    }

    private async Task SweepAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("delete from platform.sessions where expires_at < @now");
        command.Parameters.AddWithValue("now", time.GetUtcNow());
        await command.ExecuteNonQueryAsync(ct);
    }

    [LoggerMessage(LogLevel.Warning, "Sessions could not be synchronized with the database: {Problem}")]
    private partial void LogFailed(string problem);
}
