using System.Numerics;

namespace Stoa.Gateway.Usage;

/// <summary>
/// Counts of calls by the binary digits of their milliseconds: bucket k holds those from 2^(k-1) to below 2^k (bucket 1 those below 2,
/// the last all that are longer). Histograms can be added, percentiles cannot; what is read from one lies within its bucket.
/// </summary>
internal static class LatencyHistogram
{
    public const int Buckets = 20;

    /// <summary>From 1, as PostgreSQL counts the elements of arrays.</summary>
    public static int BucketOf(int milliseconds) => Math.Clamp(BitOperations.Log2((uint)Math.Max(milliseconds, 1)) + 1, 1, Buckets);

    /// <summary>Below how many milliseconds this share of the calls ended; null when there were none.</summary>
    /// <param name="counts">Of the buckets 1 to <see cref="Buckets"/>.</param>
    public static double? Percentile(ReadOnlySpan<long> counts, double share)
    {
        var all = 0L;
        foreach (var count in counts)
        {
            all += count;
        }
        if (all == 0)
        {
            return null;
        }
        var wanted = share * all;
        var below = 0L;
        for (var index = 0; index < counts.Length; index++)
        {
            if (below + counts[index] >= wanted && counts[index] > 0)
            {
                // Within a bucket calls are taken to lie evenly on a logarithmic scale.
                return Math.Round(Math.Pow(2, index + ((wanted - below) / counts[index])), 1);
            }
            below += counts[index];
        }
        return Math.Pow(2, counts.Length);
    }
}
