using System.Globalization;

namespace Stoa.Gateway.Usage;

/// <summary>
/// Where sums are read from: whole days from sums over days, what is left at both ends from those over quarters of an hour; from the rows
/// where a quarter would be cut, and for threads, which are too many to be summed in advance. All say the same, to the last digit.
/// </summary>
/// <param name="Sql">Has the columns of sums, with the time as <c>t</c>.</param>
/// <param name="Latencies">Sums the histogram of its rows, each bucket in a column of its own: arrays take longer to read.</param>
/// <param name="Unit">
/// The group that <c>t</c> is already, if any: by the bare column rows are read in the order of the index and grouped as they come.
/// </param>
internal readonly record struct UsageSources(string Sql, string Latencies, string? Unit = null)
{
    private const string Rows = """
        select *, at as t, 1 as calls, (outcome <> 0)::int as failed, (cost is null)::int as unpriced,
          is_cached::int as cached, at as last_at
        from gateway.usage
        """;

    private static readonly string OfSums = Histogram(bucket => string.Create(CultureInfo.InvariantCulture, $"latencies[{bucket}]"));

    private static readonly string OfRows = Histogram(bucket => string.Create(
        CultureInfo.InvariantCulture,
        $"(latency_ms >= {(bucket == 1 ? 0 : 1 << (bucket - 1))}{(bucket == LatencyHistogram.Buckets ? "" : $" and latency_ms < {1 << bucket}")})::int"));

    public static UsageSources For(UsageFilter filter, IReadOnlyCollection<string> groupBy)
    {
        if (filter.ThreadId is not null || groupBy.Contains("thread") || !IsWhole(filter.From, UsageSums.Quarter)
            || (filter.To is { } end && !IsWhole(end, UsageSums.Quarter)))
        {
            return new(Rows, OfRows);
        }
        var firstDay = UsageSums.StartOf(filter.From.AddDays(1).AddTicks(-1), Day);
        var behindDays = filter.To is { } to ? UsageSums.StartOf(to, Day) : FarAway;
        if (firstDay >= behindDays || groupBy.Contains("quarter") || groupBy.Contains("hour"))
        {
            return new("select *, start as t from gateway.usage_quarters", OfSums, "quarter");
        }
        // One branch for each stretch of time, so that each reads only its own part of the index.
        var branches =
            new List<string> { $"select *, start as t from gateway.usage_days where start >= '{firstDay:O}' and start < '{behindDays:O}'" };
        if (filter.From < firstDay)
        {
            branches.Add($"select *, start as t from gateway.usage_quarters where start < '{firstDay:O}'");
        }
        if (filter.To > behindDays)
        {
            branches.Add($"select *, start as t from gateway.usage_quarters where start >= '{behindDays:O}'");
        }
        return new(string.Join(" union all ", branches), OfSums, branches.Count == 1 ? "day" : null);
    }

    private static readonly DateTimeOffset FarAway = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private static bool IsWhole(DateTimeOffset time, TimeSpan span) => time.UtcTicks % span.Ticks == 0;

    private static string Histogram(Func<int, string> count) =>
        string.Join(", ", Enumerable.Range(1, LatencyHistogram.Buckets).Select(bucket => $"coalesce(sum({count(bucket)}), 0)::bigint"));
}
