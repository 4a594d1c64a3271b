using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Stoa.Platform.Data;

/// <summary>Migrates while the host already listens, and keeps trying while the server is away.</summary>
internal sealed partial class MigrateOnStart(
    Migrator migrator,
    DatabaseReadiness readiness,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<MigrateOnStart> logger) : BackgroundService
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var pause = ShortestPause; ; pause = Longer(pause))
        {
            try
            {
                await migrator.MigrateAsync(stoppingToken);
                readiness.Migrated();
                return;
            }
            catch (DatabaseException exception)
            {
                readiness.Report(exception.Message);
                LogUnusable(exception.Message);
                Environment.ExitCode = 1;
                lifetime.StopApplication();
                return;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Wrong passwords and missing databases count as away too: the operator may be about to put them right.
                if (!string.Equals(readiness.Problem, exception.Message, StringComparison.Ordinal))
                {
                    LogAway(exception.Message);
                }
                readiness.Report(exception.Message);
            }
            await Task.Delay(pause, time, stoppingToken);
        }
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;

    [LoggerMessage(LogLevel.Critical, "The database cannot be used: {Problem}")]
    private partial void LogUnusable(string problem);

    [LoggerMessage(LogLevel.Warning, "Waiting for the database: {Problem}")]
    private partial void LogAway(string problem);
}
