using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;

namespace Stoa.Platform.Telemetry;

/// <summary>Collects the meters of the process and writes them in Prometheus' text format.</summary>
public sealed class MetricsText : IHostedService, IDisposable
{
    internal static readonly string[] Meters =
    [
        "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime", "Npgsql", Signals.Name,
    ];

    /// <summary>Three measurements and their labels for each request we send; calls of models are measured as such already.</summary>
    private static readonly string[] PerOutgoingRequest =
        ["http.client.active_requests", "http.client.request.duration", "http.client.request.time_in_queue"];

    private readonly ConcurrentDictionary<Instrument, MetricFamily> families = new();
    private readonly MeterListener listener = new();

    public Task StartAsync(CancellationToken cancellationToken)
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (Meters.Contains(instrument.Meter.Name) && !PerOutgoingRequest.Contains(instrument.Name))
            {
                self.EnableMeasurementEvents(instrument, families.GetOrAdd(instrument, static one => new MetricFamily(one)));
            }
        };
        listener.MeasurementsCompleted = (instrument, _) => families.TryRemove(instrument, out var _);
        listener.SetMeasurementEventCallback<double>(static (_, value, labels, family) => Record(family, value, labels));
        listener.SetMeasurementEventCallback<float>(static (_, value, labels, family) => Record(family, value, labels));
        listener.SetMeasurementEventCallback<decimal>(static (_, value, labels, family) => Record(family, (double)value, labels));
        listener.SetMeasurementEventCallback<long>(static (_, value, labels, family) => Record(family, value, labels));
        listener.SetMeasurementEventCallback<int>(static (_, value, labels, family) => Record(family, value, labels));
        listener.SetMeasurementEventCallback<short>(static (_, value, labels, family) => Record(family, value, labels));
        listener.SetMeasurementEventCallback<byte>(static (_, value, labels, family) => Record(family, value, labels));
        listener.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => listener.Dispose();

    public void Write(IBufferWriter<byte> output)
    {
        listener.RecordObservableInstruments();
        // Two meters may carry the same instrument (one per host in a process); a name is announced once.
        foreach (var sameName in families.Values.GroupBy(family => family.Name, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            sameName.First().WriteHead(output);
            foreach (var family in sameName)
            {
                family.WriteSeries(output);
            }
        }
    }

    private static void Record(object? family, double value, ReadOnlySpan<KeyValuePair<string, object?>> labels) =>
        ((MetricFamily)family!).Record(value, labels);
}
