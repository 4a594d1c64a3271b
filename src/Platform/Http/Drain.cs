using Microsoft.AspNetCore.Http;

namespace Stoa.Platform.Http;

/// <summary>
/// The end of a host's life: not ready, no new connections, the calls under way finish. Whoever is not done at the last call ends
/// with a proper last word; shortly after, the remaining connections are cut.
/// </summary>
public sealed class Drain : IDisposable
{
    private readonly TimeProvider time;
    private readonly TimeSpan limit;
    private readonly CancellationTokenSource begun = new();
    private readonly CancellationTokenSource lastCall = new();
    private readonly CancellationTokenSource cut = new();
    private readonly TaskCompletionSource quiet = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<ITimer> timers = [];
    private long active;

    internal Drain(TimeProvider time, TimeSpan limit) => (this.time, this.limit) = (time, limit);

    public bool IsDraining => begun.IsCancellationRequested;

    /// <summary>Signalled when the drain begins: pick up no further work.</summary>
    public CancellationToken Begun => begun.Token;

    /// <summary>Signalled after four fifths of the time: a stream that still runs now ends with its dialect's terminal event.</summary>
    public CancellationToken LastCall => lastCall.Token;

    /// <summary>Signalled after nine tenths: connections are closed as they stand.</summary>
    internal CancellationToken Cut => cut.Token;

    internal void Enter(HttpContext context)
    {
        Interlocked.Increment(ref active);
        if (IsDraining)
        {
            context.Response.Headers.Connection = "close";
        }
    }

    internal void Leave()
    {
        if (Interlocked.Decrement(ref active) == 0 && IsDraining)
        {
            quiet.TrySetResult();
        }
    }

    internal void Begin()
    {
        if (IsDraining)
        {
            return;
        }
        timers.Add(time.CreateTimer(_ => lastCall.Cancel(), null, limit * 0.8, Timeout.InfiniteTimeSpan));
        timers.Add(time.CreateTimer(_ => cut.Cancel(), null, limit * 0.9, Timeout.InfiniteTimeSpan));
        begun.Cancel();
        if (Interlocked.Read(ref active) == 0)
        {
            quiet.TrySetResult();
        }
    }

    /// <summary>Until no call is under way, or those that are have been cut.</summary>
    internal async Task WhenQuietAsync(CancellationToken ct)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct, cut.Token);
        try
        {
            await quiet.Task.WaitAsync(ended.Token);
        }
        catch (OperationCanceledException)
        {
            // Their time is over; closing the server ends them.
        }
    }

    public void Dispose()
    {
        timers.ForEach(timer => timer.Dispose());
        begun.Dispose();
        lastCall.Dispose();
        cut.Dispose();
    }
}
