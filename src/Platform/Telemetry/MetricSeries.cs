using System.Buffers;
using System.Globalization;
using System.Text;

namespace Stoa.Platform.Telemetry;

/// <summary>The figures of one instrument for one set of labels.</summary>
internal sealed class MetricSeries(string labels, double[]? bounds)
{
    private readonly long[]? buckets = bounds is null ? null : new long[bounds.Length + 1];
    private double value;

    public void Set(double current) => Volatile.Write(ref value, current);

    public void Record(double amount)
    {
        if (buckets is not null)
        {
            var place = Array.BinarySearch(bounds!, amount);
            Interlocked.Increment(ref buckets[place < 0 ? ~place : place]);
        }
        for (var seen = Volatile.Read(ref value); ;)
        {
            var before = Interlocked.CompareExchange(ref value, seen + amount, seen);
            if (before.Equals(seen))
            {
                return;
            }
            seen = before;
        }
    }

    public void Write(IBufferWriter<byte> output, string name)
    {
        if (buckets is null)
        {
            Line(output, name, labels, Volatile.Read(ref value));
            return;
        }
        var separator = labels.Length > 0 ? "," : "";
        var total = 0L;
        for (var i = 0; i < buckets.Length; i++)
        {
            total += Volatile.Read(ref buckets[i]);
            var bound = i < bounds!.Length ? bounds[i].ToString("R", CultureInfo.InvariantCulture) : "+Inf";
            Line(output, $"{name}_bucket", $"{labels}{separator}le=\"{bound}\"", total);
        }
        Line(output, $"{name}_sum", labels, Volatile.Read(ref value));
        Line(output, $"{name}_count", labels, total);
    }

    private static void Line(IBufferWriter<byte> output, string name, string labels, double figure)
    {
        var set = labels.Length > 0 ? $"{{{labels}}}" : "";
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name}{set} {figure:R}\n"), output);
    }
}
