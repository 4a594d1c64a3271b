using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Stoa.Platform.Limits;

/// <summary>How many calls run at this moment, per owner and in all. Each entered call must exit once.</summary>
public sealed class InFlight(int limit)
{
    // An owner is a key or an organization of ours, so their number is bounded by the rows that name them.
    private readonly ConcurrentDictionary<Guid, StrongBox<int>> owners = new();
    private readonly StrongBox<int> all = new();

    public int Total => Volatile.Read(ref all.Value);

    public bool TryEnter(Guid owner, int ownerLimit)
    {
        if (!TryAdd(all, limit))
        {
            return false;
        }
        if (TryAdd(CounterOf(owner), ownerLimit))
        {
            return true;
        }
        Interlocked.Decrement(ref all.Value);
        return false;
    }

    public void Exit(Guid owner)
    {
        Interlocked.Decrement(ref CounterOf(owner).Value);
        Interlocked.Decrement(ref all.Value);
    }

    private StrongBox<int> CounterOf(Guid owner) => owners.GetOrAdd(owner, static _ => new());

    private static bool TryAdd(StrongBox<int> counter, int limit)
    {
        for (var seen = Volatile.Read(ref counter.Value); seen < limit;)
        {
            var found = Interlocked.CompareExchange(ref counter.Value, seen + 1, seen);
            if (found == seen)
            {
                return true;
            }
            seen = found;
        }
        return false;
    }
}
