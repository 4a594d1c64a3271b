using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Usage;

/// <summary>
/// Keeps the price book as the table says: at start, on every change, and once a minute for prices whose moment has come.
/// </summary>
internal sealed partial class PriceWatch(
    PriceBook book, PriceStore store, ChangeFeed changes, DatabaseReadiness database,
    TimeProvider time, ILogger<PriceWatch> logger) : BackgroundService
{
    // A read that began before a change must not end after one that saw it.
    private readonly SemaphoreSlim reading = new(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(() => RunAsync(stoppingToken));

    private async Task RunAsync(CancellationToken ct)
    {
        using var subscription = changes.Subscribe(PriceStore.Channel, (_, token) => LoadAsync(token));
        await database.WhenReady(ct);
        while (true)
        {
            await Task.Delay(TimeSpan.FromMinutes(1), time, ct);
            try
            {
                await LoadAsync(ct);
            }
            catch (Exception failure) when (!ct.IsCancellationRequested)
            {
                LogKept(failure.Message);
            }
        }
    }

    private async Task LoadAsync(CancellationToken ct)
    {
        await reading.WaitAsync(ct);
        try
        {
            book.Replace(await store.CurrentAsync(time.GetUtcNow(), ct));
        }
        finally
        {
            reading.Release();
        }
    }

    [LoggerMessage(LogLevel.Warning, "Prices could not be read; the ones known stay in force: {Problem}")]
    private partial void LogKept(string problem);
}
