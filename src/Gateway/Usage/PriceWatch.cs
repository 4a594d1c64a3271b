using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Usage;

/// <summary>Keeps the price book as the table says: at start, on every change, and once a minute for prices whose moment has come.</summary>
internal sealed partial class PriceWatch(
    PriceBook book, PriceStore store, ChangeFeed changes, DatabaseReadiness database, TimeProvider time, ILogger<PriceWatch> logger) : BackgroundService
{
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

    private async Task LoadAsync(CancellationToken ct) => book.Replace(await store.CurrentAsync(time.GetUtcNow(), ct));

    [LoggerMessage(LogLevel.Warning, "Prices could not be read; the ones known stay in force: {Problem}")]
    private partial void LogKept(string problem);
}
