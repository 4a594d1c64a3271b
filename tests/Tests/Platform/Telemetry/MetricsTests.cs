using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text;
using Stoa.Platform.Telemetry;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Telemetry;

public sealed class MetricsTests
{
    [Fact]
    public void A_counter_keeps_a_series_per_set_of_labels()
    {
        var family = Family(meter => meter.CreateCounter<long>("calls", description: "Calls \"made\""));

        family.Record(2, [new("model", "a")]);
        family.Record(3, [new("model", "a")]);
        family.Record(1, [new("model", "b\"\n")]);

        Assert.Equal("calls_total{model=\"a\"} 5\ncalls_total{model=\"b\\\"\\n\"} 1\n", Text(family, sorted: true));
    }

    [Fact]
    public void A_histogram_counts_into_cumulative_buckets()
    {
        var family = Family(meter => meter.CreateHistogram<double>(
            "wait.time", "s", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 2] }));

        foreach (var value in new[] { 0.5, 1, 1.5, 9 })
        {
            family.Record(value, []);
        }

        Assert.Equal(
            "wait_time_seconds_bucket{le=\"1\"} 2\nwait_time_seconds_bucket{le=\"2\"} 3\nwait_time_seconds_bucket{le=\"+Inf\"} 4\n"
            + "wait_time_seconds_sum 12\nwait_time_seconds_count 4\n", Text(family));
    }

    [Fact]
    public void A_label_without_end_does_not_take_all_memory()
    {
        var family = Family(meter => meter.CreateUpDownCounter<long>("open"));

        for (var i = 0; i < 10_000; i++)
        {
            family.Record(1, [new("id", i)]);
        }

        Assert.Equal(501, Text(family).Count(sign => sign == '\n'));
        Assert.Contains("open{overflow=\"true\"} 9500", Text(family), StringComparison.Ordinal);
    }

    [Fact]
    public void Recording_into_a_known_series_allocates_nothing()
    {
        var family = Family(meter => meter.CreateCounter<long>("calls"));
        KeyValuePair<string, object?>[] labels = [new("model", "a"), new("status", 200)];
        for (var i = 0; i < 1_000; i++)
        {
            family.Record(1, labels);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
        {
            family.Record(1, labels);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public async Task The_requests_of_the_host_are_measured()
    {
        await using var host = await HostUnderTest.StartAsync();
        await host.Client.GetAsync("/healthz", TestContext.Current.CancellationToken);

        var text = await host.Internal.GetStringAsync("/metrics", TestContext.Current.CancellationToken);

        Assert.Contains("# TYPE http_server_request_duration_seconds histogram", text, StringComparison.Ordinal);
        Assert.Contains("http_route=\"/healthz\"", text, StringComparison.Ordinal);
    }

    private static MetricFamily Family(Func<Meter, Instrument> create)
    {
        using var meter = new Meter("Stoa.Tests");
        return new MetricFamily(create(meter));
    }

    private static string Text(MetricFamily family, bool sorted = false)
    {
        var output = new ArrayBufferWriter<byte>();
        family.WriteSeries(output);
        var text = Encoding.UTF8.GetString(output.WrittenSpan);
        return sorted
            ? string.Concat(text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Order(StringComparer.Ordinal).Select(line => $"{line}\n"))
            : text;
    }
}
