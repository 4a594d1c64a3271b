using System.Collections.Concurrent;

namespace Stoa.Platform.Limits;

/// <summary>Limits of this process alone. Nothing is allocated for an owner that is already known; idle owners are forgotten.</summary>
internal sealed class MemoryLimits : ILimits, IDisposable
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(LimitKey Key, long Window), SlidingWindow> windows = new();
    private readonly TimeProvider time;
    private readonly long start;
    private readonly ITimer sweeper;

    public MemoryLimits(TimeProvider time)
    {
        this.time = time;
        start = time.GetTimestamp();
        sweeper = time.CreateTimer(_ => Sweep(), state: null, SweepEvery, SweepEvery);
    }

    internal int Count => windows.Count;

    // Monotonic: setting the machine's clock opens no window and closes none. Never 0, which means "unknown" in Settle.
    private long Now => time.GetElapsedTime(start).Ticks + 1;

    public ValueTask<LimitReading> TakeAsync(LimitKey key, long limit, TimeSpan window, long amount, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(window, TimeSpan.Zero);
        LimitReading reading;
        while (!WindowOf(key, window).TryTake(limit, amount, Now, out reading))
        {
        }
        return new(reading);
    }

    public void Settle(LimitKey key, TimeSpan window, long delta, long takenAt = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(window, TimeSpan.Zero);
        while (delta != 0 && !WindowOf(key, window).TrySettle(delta, Now, takenAt))
        {
        }
    }

    public void Dispose() => sweeper.Dispose();

    private SlidingWindow WindowOf(LimitKey key, TimeSpan window) =>
        windows.GetOrAdd((key, window.Ticks), static id => new SlidingWindow(TimeSpan.FromTicks(id.Window)));

    internal void Sweep()
    {
        var now = Now;
        foreach (var pair in windows)
        {
            // Removed by the pair, so that a successor under the same name stays.
            if (pair.Value.TryRetire(now))
            {
                windows.TryRemove(pair);
            }
        }
    }
}
