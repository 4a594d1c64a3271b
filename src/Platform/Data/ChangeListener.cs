using Microsoft.Extensions.Hosting;

namespace Stoa.Platform.Data;

/// <summary>Hears what the <see cref="ChangeFeed"/> says of one channel, for as long as the host runs.</summary>
public abstract class ChangeListener(ChangeFeed changes, string channel) : IHostedService
{
    private IDisposable? subscription;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        subscription = changes.Subscribe(channel, HearAsync);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        subscription?.Dispose();
        return Task.CompletedTask;
    }

    /// <param name="payload">Null when something may have been missed: then everything is looked at again.</param>
    protected abstract Task HearAsync(string? payload, CancellationToken ct);
}
