using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Stoa.Platform.Telemetry;

/// <summary>One instrument with a series per set of labels. Recording into a known series allocates nothing and takes no lock.</summary>
internal sealed class MetricFamily
{
    /// <summary>Whatever has more sets of labels than this is not worth its memory; the rest shares one series.</summary>
    private const int MostSeries = 500;

    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
    private static readonly double[] Sizes = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

    private readonly string kind;
    private readonly bool sets;
    private readonly double[]? bounds;
    private readonly string help;
    private readonly ConcurrentDictionary<KeyValuePair<string, object?>[], MetricSeries> series = new(LabelComparer.Instance);
    private readonly ConcurrentDictionary<KeyValuePair<string, object?>[], MetricSeries>
        .AlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>> known;
    private readonly MetricSeries overflow;
    private int count;

    public MetricFamily(Instrument instrument)
    {
        var type = instrument.GetType().Name;
        var counts = type.StartsWith("Counter", StringComparison.Ordinal) || type.StartsWith("ObservableCounter", StringComparison.Ordinal);
        bounds = type.StartsWith("Histogram", StringComparison.Ordinal) ? BoundsOf(instrument) : null;
        // An observable instrument and a gauge report their value, the others report changes of it.
        sets = instrument.IsObservable || type.StartsWith("Gauge", StringComparison.Ordinal);
        kind = bounds is not null ? "histogram" : counts ? "counter" : "gauge";
        Name = NameOf(instrument, counts);
        help = Escape(instrument.Description ?? instrument.Name);
        overflow = new("overflow=\"true\"", bounds);
        known = series.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>();
    }

    public string Name { get; }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        if (!known.TryGetValue(labels, out var one))
        {
            one = Add(labels);
        }
        if (sets)
        {
            one.Set(value);
        }
        else
        {
            one.Record(value);
        }
    }

    public void WriteHead(IBufferWriter<byte> output) =>
        Encoding.UTF8.GetBytes($"# HELP {Name} {help}\n# TYPE {Name} {kind}\n", output);

    public void WriteSeries(IBufferWriter<byte> output)
    {
        foreach (var one in series.Values)
        {
            one.Write(output, Name);
        }
        if (Volatile.Read(ref count) > MostSeries)
        {
            overflow.Write(output, Name);
        }
    }

    private MetricSeries Add(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        if (Interlocked.Increment(ref count) > MostSeries)
        {
            return overflow;
        }
        var own = labels.ToArray();
        var text = string.Join(',', own.Select(label =>
            $"{Clean(label.Key)}=\"{Escape(Convert.ToString(label.Value, CultureInfo.InvariantCulture) ?? "")}\""));
        return series.GetOrAdd(own, new MetricSeries(text, bounds));
    }

    private static double[] BoundsOf(Instrument instrument) => (instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(bound => (double)bound)],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(bound => (double)bound)],
        { Unit: "s" } => Seconds,
        _ => Sizes,
    });

    /// <summary><c>http.server.request.duration</c> in <c>s</c> is <c>http_server_request_duration_seconds</c>.</summary>
    private static string NameOf(Instrument instrument, bool counts)
    {
        var name = Clean(instrument.Name);
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            _ => "",
        };
        name = name.EndsWith(unit, StringComparison.Ordinal) ? name : name + unit;
        return counts && !name.EndsWith("_total", StringComparison.Ordinal) ? $"{name}_total" : name;
    }

    private static string Clean(string name) => string.Create(name.Length, name, static (target, source) =>
    {
        for (var i = 0; i < source.Length; i++)
        {
            target[i] = char.IsAsciiLetterOrDigit(source[i]) ? source[i] : '_';
        }
    });

    private static string Escape(string text) => text
        .Replace("\\", @"\\", StringComparison.Ordinal)
        .Replace("\n", @"\n", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal);

    /// <summary>Label sets of one instrument come from one place in one order, so they are compared in order.</summary>
    private sealed class LabelComparer : IEqualityComparer<KeyValuePair<string, object?>[]>,
        IAlternateEqualityComparer<ReadOnlySpan<KeyValuePair<string, object?>>, KeyValuePair<string, object?>[]>
    {
        public static readonly LabelComparer Instance = new();

        public bool Equals(KeyValuePair<string, object?>[]? x, KeyValuePair<string, object?>[]? y) => Equals(x.AsSpan(), y!);

        public int GetHashCode(KeyValuePair<string, object?>[] obj) => GetHashCode(obj.AsSpan());

        public KeyValuePair<string, object?>[] Create(ReadOnlySpan<KeyValuePair<string, object?>> alternate) => alternate.ToArray();

        public bool Equals(ReadOnlySpan<KeyValuePair<string, object?>> alternate, KeyValuePair<string, object?>[] other)
        {
            if (alternate.Length != other.Length)
            {
                return false;
            }
            for (var i = 0; i < other.Length; i++)
            {
                if (!Equals(alternate[i].Value, other[i].Value) || !string.Equals(alternate[i].Key, other[i].Key, StringComparison.Ordinal))
                {
                    return false;
                }
            }
            return true;
        }

        public int GetHashCode(ReadOnlySpan<KeyValuePair<string, object?>> alternate)
        {
            var hash = alternate.Length;
            foreach (var label in alternate)
            {
                hash = (hash * 31) + (label.Value?.GetHashCode() ?? 0);
            }
            return hash;
        }
    }
}
