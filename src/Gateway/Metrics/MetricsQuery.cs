using System.Text.Json.Serialization;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Metrics;

/// <summary>What a dashboard asks for, in the words of GTWY's wire.</summary>
/// <param name="Range">1 to 5: the last 1, 3, 6, 12, 24 hours by quarters of an hour; 6 to 9: 2, 7, 14, 30 days by days; 10: the
/// dates.</param>
/// <param name="Factor">What each moment's sums are divided by.</param>
/// <param name="Percentiles">Ours: adds <c>latency_p50</c>, <c>latency_p95</c> and <c>latency_p99</c>, seconds.</param>
[JsonNumberHandling(JsonNumberHandling.AllowReadingFromString)]
internal sealed record MetricsQuery(
    int? Range, string? Factor, string? ApikeyId, string? Service, string? Model, string? ThreadId, string? BridgeId, string? VersionId,
    string? StartDate, string? EndDate, bool? Percentiles)
{
    /// <summary>The wire's name of each factor, and what sums are grouped by besides the time.</summary>
    private static readonly Dictionary<string, string?> Factors = new(StringComparer.Ordinal)
    {
        ["bridge_id"] = "agent",
        ["version_id"] = "version",
        ["apikey_id"] = "provider_key",
        ["thread_id"] = "thread",
        ["service"] = "provider",
        ["model"] = "model",
        ["created_at"] = null,
    };

    private static readonly int[] Hours = [1, 3, 6, 12, 24];
    private static readonly int[] Days = [2, 7, 14, 30];

    /// <summary>Time first: rows are read in its order.</summary>
    public string[] Groups => Factors[Factor!] is { } group ? [Time, group] : [Time];

    private string Time => Range <= Hours.Length ? "quarter" : "day";

    public IEnumerable<FieldError> Check()
    {
        if (Range is not (>= 1 and <= 10))
        {
            yield return new("range", "range must be a number from 1 to 10");
        }
        if (Factor is null || !Factors.ContainsKey(Factor))
        {
            yield return new("factor", $"factor must be one of {string.Join(", ", Factors.Keys)}");
        }
        if (Range == 10 && string.IsNullOrEmpty(StartDate))
        {
            yield return new("start_date", "start_date is needed for range 10");
        }
    }

    public UsageFilter Filter(Guid organizationId, DateTimeOffset now)
    {
        var (from, to) = Window(now);
        // What is still to come is empty: without an end, whole days can be read up to now.
        to = to > now ? null : to;
        return new(
            organizationId, from, to, KeyId: null, QueryValues.Text(Service, "service"), QueryValues.Text(Model, "model"),
            QueryValues.Text(BridgeId, "bridge_id"), QueryValues.Text(VersionId, "version_id"), QueryValues.Text(ApikeyId, "apikey_id"),
            QueryValues.Text(ThreadId, "thread_id"));
    }

    /// <summary>Begins with a whole quarter or day, so that the first sum is whole too.</summary>
    private (DateTimeOffset From, DateTimeOffset? To) Window(DateTimeOffset now) => Range switch
    {
        10 => Dates(StartDate, EndDate),
        > 5 => (UsageSums.StartOf(now.AddDays(-Days[Range.Value - 6]), TimeSpan.FromDays(1)), null),
        _ => (UsageSums.StartOf(now.AddHours(-Hours[Range!.Value - 1]), UsageSums.Quarter), null),
    };

    /// <summary>From and to whole quarters of an hour; an end that is a mere date includes its day.</summary>
    /// <exception cref="Failure">Invalid: no times, or none between them.</exception>
    public static (DateTimeOffset From, DateTimeOffset? To) Dates(string? start, string? end)
    {
        const int LengthOfDate = 10;
        var from = Quarters(QueryValues.Instant(start, "start_date") ?? DateTimeOffset.UnixEpoch, "start_date");
        var to = QueryValues.Instant(end, "end_date");
        if (to <= from && end!.Length > LengthOfDate)
        {
            throw Failure.Invalid("end_date must be after start_date", "end_date");
        }
        return (from, to is null ? null : Quarters(
            to.Value, "end_date", end!.Length <= LengthOfDate ? TimeSpan.FromDays(1) : UsageSums.Quarter - TimeSpan.FromTicks(1)));
    }

    private static DateTimeOffset Quarters(DateTimeOffset time, string field, TimeSpan more = default) => time.Year is > 1900 and < 9000
        ? UsageSums.StartOf(time + more, UsageSums.Quarter)
        : throw Failure.Invalid($"{field} must be a time of our age", field);
}
