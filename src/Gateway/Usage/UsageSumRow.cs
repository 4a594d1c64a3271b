namespace Stoa.Gateway.Usage;

/// <summary>One row of the sums: what calls must have in common to be counted in it, and the span that holds them.</summary>
internal readonly record struct UsageSumKey(
    Guid Organization, DateTimeOffset Start, string Agent, string Version, string Folder,
    string ProviderKey, Guid KeyId, string Provider, string Model, string Surface);

/// <summary>What the calls of a batch add to one row of the sums.</summary>
internal sealed class UsageSumRow(UsageSumKey key)
{
    private readonly int[] latencies = new int[LatencyHistogram.Buckets];

    public UsageSumKey Key => key;

    public long Calls { get; private set; }

    public long Failed { get; private set; }

    public long Unpriced { get; private set; }

    public long Cached { get; private set; }

    public long InputTokens { get; private set; }

    public long CacheReadTokens { get; private set; }

    public long CacheWriteTokens { get; private set; }

    public long OutputTokens { get; private set; }

    public long ReasoningTokens { get; private set; }

    /// <summary>US dollars.</summary>
    public decimal Cost { get; private set; }

    public long LatencyMs { get; private set; }

    /// <summary>Calls by the buckets of <see cref="LatencyHistogram"/>.</summary>
    public IReadOnlyList<int> Latencies => latencies;

    public DateTimeOffset LastAt { get; private set; }

    public void Add(UsageRecord call)
    {
        Calls++;
        Failed += call.Outcome == CallOutcome.Succeeded ? 0 : 1;
        Unpriced += call.Cost is null ? 1 : 0;
        Cached += call.IsCached ? 1 : 0;
        InputTokens += call.InputTokens;
        CacheReadTokens += call.CacheReadTokens;
        CacheWriteTokens += call.CacheWriteTokens;
        OutputTokens += call.OutputTokens;
        ReasoningTokens += call.ReasoningTokens;
        Cost += call.Cost ?? 0;
        LatencyMs += call.LatencyMs;
        latencies[LatencyHistogram.BucketOf(call.LatencyMs) - 1]++;
        LastAt = call.At > LastAt ? call.At : LastAt;
    }

    public void Add(UsageSumRow other)
    {
        Calls += other.Calls;
        Failed += other.Failed;
        Unpriced += other.Unpriced;
        Cached += other.Cached;
        InputTokens += other.InputTokens;
        CacheReadTokens += other.CacheReadTokens;
        CacheWriteTokens += other.CacheWriteTokens;
        OutputTokens += other.OutputTokens;
        ReasoningTokens += other.ReasoningTokens;
        Cost += other.Cost;
        LatencyMs += other.LatencyMs;
        for (var bucket = 0; bucket < latencies.Length; bucket++)
        {
            latencies[bucket] += other.latencies[bucket];
        }
        LastAt = other.LastAt > LastAt ? other.LastAt : LastAt;
    }
}
