namespace Stoa.Platform.Limits;

/// <summary>What is limited: an owner (an API key, an organization) in one dimension (<c>requests</c>, <c>tokens</c>).</summary>
public readonly record struct LimitKey(Guid Owner, string Dimension);

/// <summary>The state of a limit after an attempt to take from it.</summary>
/// <param name="Reset">Until the window is empty again if nothing more is taken.</param>
/// <param name="RetryAfter">Until the same amount could be taken; zero when it was allowed.</param>
public readonly record struct LimitReading(bool Allowed, long Limit, long Remaining, TimeSpan Reset, TimeSpan RetryAfter)
{
    /// <summary>When this was taken, on the limiter's own clock. Hand it to <see cref="ILimits.Settle"/> with the correction.</summary>
    public long TakenAt { get; init; }
}

/// <summary>Sliding-window counters shared by all requests of this host.</summary>
public interface ILimits
{
    /// <summary>Takes <paramref name="amount"/> if the window still holds it; otherwise takes nothing. Atomic.</summary>
    ValueTask<LimitReading> TakeAsync(LimitKey key, long limit, TimeSpan window, long amount, CancellationToken ct);

    /// <summary>
    /// Corrects an earlier estimate: adds <paramref name="delta"/> (may be negative) without refusing. A negative correction only
    /// takes back what is still counted of <paramref name="takenAt"/>; without it, of the oldest that is counted.
    /// </summary>
    void Settle(LimitKey key, TimeSpan window, long delta, long takenAt = 0);
}
