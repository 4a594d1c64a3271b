namespace Stoa.Platform.Limits;

/// <summary>
/// What one owner took in the last window, in sixtieths of it. An amount counts for at least the whole window and at most one
/// sixtieth longer, so no window of that length, wherever it starts, ever holds more than the limit.
/// </summary>
internal sealed class SlidingWindow(TimeSpan length)
{
    private const int Parts = 60;

    // One more than Parts: the part that is only partly inside the window counts whole.
    private readonly long[] amounts = new long[Parts + 1];
    private readonly long width = Math.Max(1, (length.Ticks + Parts - 1) / Parts);
    private readonly Lock gate = new();
    private long newest;
    private long total;
    private bool retired;

    /// <summary>False when this window was retired: the caller fetches a new one.</summary>
    public bool TryTake(long limit, long amount, long now, out LimitReading reading)
    {
        lock (gate)
        {
            if (retired)
            {
                reading = default;
                return false;
            }
            now = Advance(now);
            var allowed = amount <= limit - total;
            if (allowed)
            {
                amounts[newest % amounts.Length] += amount;
                total += amount;
            }
            var wait = allowed ? TimeSpan.Zero : UntilFits(limit, amount, now);
            reading = new(allowed, limit, Math.Max(0, limit - total), UntilEmpty(now), wait)
            {
                TakenAt = now,
            };
            return true;
        }
    }

    public bool TrySettle(long delta, long now, long takenAt)
    {
        lock (gate)
        {
            if (retired)
            {
                return false;
            }
            Advance(now);
            if (delta > 0)
            {
                amounts[newest % amounts.Length] += delta;
                total += delta;
            }
            else if (takenAt != 0)
            {
                var part = takenAt / width;
                if (part <= newest && part > newest - amounts.Length)
                {
                    GiveBack(part, -delta);
                }
            }
            else
            {
                var rest = -delta;
                for (var part = Oldest; part <= newest && rest > 0; part++)
                {
                    rest -= GiveBack(part, rest);
                }
            }
            return true;
        }
    }

    /// <summary>Marks a window in which nothing counts any more as unusable; true when it was.</summary>
    public bool TryRetire(long now)
    {
        lock (gate)
        {
            Advance(now);
            return retired = total == 0;
        }
    }

    private long Oldest => Math.Max(0, newest - Parts);

    private long GiveBack(long part, long amount)
    {
        ref var held = ref amounts[part % amounts.Length];
        var back = Math.Min(held, amount);
        held -= back;
        total -= back;
        return back;
    }

    // Two threads may arrive in the other order than they read the clock: time never goes back here.
    private long Advance(long now)
    {
        var part = now / width;
        if (part <= newest)
        {
            return Math.Max(now, newest * width);
        }
        if (total != 0)
        {
            for (var stale = Math.Max(newest + 1, part - Parts); stale <= part; stale++)
            {
                ref var amount = ref amounts[stale % amounts.Length];
                total -= amount;
                amount = 0;
            }
        }
        newest = part;
        return now;
    }

    private TimeSpan UntilEmpty(long now)
    {
        for (var part = newest; total != 0 && part >= Oldest; part--)
        {
            if (amounts[part % amounts.Length] != 0)
            {
                return UntilGone(part, now);
            }
        }
        return TimeSpan.Zero;
    }

    private TimeSpan UntilFits(long limit, long amount, long now)
    {
        var left = total;
        for (var part = Oldest; part <= newest; part++)
        {
            left -= amounts[part % amounts.Length];
            if (amount <= limit - left)
            {
                return UntilGone(part, now);
            }
        }
        // More than the limit itself never fits.
        return length;
    }

    private TimeSpan UntilGone(long part, long now) => TimeSpan.FromTicks(((part + Parts + 1) * width) - now);
}
