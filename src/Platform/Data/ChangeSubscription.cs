using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Stoa.Platform.Data;

/// <summary>One subscriber of the <see cref="ChangeFeed"/>: his own queue, so that a slow one keeps nobody else waiting.</summary>
internal sealed partial class ChangeSubscription : IDisposable
{
    private const int LongestQueue = 1024;

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly Channel<string?> changes = System.Threading.Channels.Channel.CreateBounded<string?>(LongestQueue);
    private readonly CancellationTokenSource stopping = new();
    private readonly Func<string?, CancellationToken, Task> changed;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Action<ChangeSubscription> disposed;
    private volatile bool mustLookAgain;

    public ChangeSubscription(
        string channel,
        Func<string?, CancellationToken, Task> changed,
        TimeProvider time,
        ILogger logger,
        Action<ChangeSubscription> disposed)
    {
        Channel = channel;
        this.changed = changed;
        this.time = time;
        this.logger = logger;
        this.disposed = disposed;
        _ = Task.Run(DeliverAsync);
    }

    public string Channel { get; }

    /// <summary>Never waits: whoever is too far behind to take one more is told to look again instead.</summary>
    public void Offer(string payload)
    {
        if (!changes.Writer.TryWrite(payload))
        {
            mustLookAgain = true;
        }
    }

    public void LookAgain()
    {
        mustLookAgain = true;
        // Wakes the reader; a full queue does so by itself.
        changes.Writer.TryWrite(null);
    }

    public void Dispose()
    {
        disposed(this);
        stopping.Cancel();
    }

    private async Task DeliverAsync()
    {
        var ct = stopping.Token;
        var pause = ShortestPause;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await changes.Reader.WaitToReadAsync(ct);
                await changed(Next(), ct);
                pause = ShortestPause;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // What he did not take in is lost to him, so he has to look again; not at once, the cause may still be there.
                LogFailed(exception, Channel);
                await Task.Delay(pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                LookAgain();
            }
        }
    }

    private string? Next()
    {
        if (mustLookAgain)
        {
            // A fresh look covers all that is queued: it was committed before.
            mustLookAgain = false;
            while (changes.Reader.TryRead(out _))
            {
            }
            return null;
        }
        return changes.Reader.TryRead(out var payload) ? payload : null;
    }

    [LoggerMessage(LogLevel.Error, "A subscriber of {Channel} failed; it will look again")]
    private partial void LogFailed(Exception exception, string channel);
}
