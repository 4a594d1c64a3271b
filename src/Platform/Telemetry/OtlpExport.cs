using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Stoa.Platform.Telemetry;

/// <summary>
/// Sends spans and measurements by OTLP, and errors as log records (<see cref="OtlpErrors"/>), when one of the standard
/// <c>OTEL_EXPORTER_OTLP_*ENDPOINT</c> variables is set. Without one, nothing is created, and no request pays for an activity.
/// </summary>
internal sealed class OtlpExport(IConfiguration configuration) : IHostedService, IDisposable
{
    private TracerProvider? traces;
    private MeterProvider? metrics;

    public bool IsTracing { get; } = IsWanted(configuration, "TRACES");

    public Task StartAsync(CancellationToken ct)
    {
        // The exporters read the endpoint, the protocol and the headers from the environment themselves.
        if (IsTracing)
        {
            traces = Sdk.CreateTracerProviderBuilder()
                .SetResourceBuilder(Resource())
                .AddSource("Microsoft.AspNetCore", "System.Net.Http", "Npgsql", Signals.Name)
                .AddOtlpExporter()
                .Build();
        }
        if (IsWanted(configuration, "METRICS"))
        {
            metrics = Sdk.CreateMeterProviderBuilder()
                .SetResourceBuilder(Resource())
                .AddMeter([.. MetricsText.Meters])
                .AddOtlpExporter()
                .Build();
        }
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken ct) => Task.CompletedTask;

    /// <summary>Disposing a provider sends what it still holds.</summary>
    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
    }

    internal static bool IsWanted(IConfiguration configuration, string signal) =>
        !string.Equals(configuration["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase)
        && !string.Equals(configuration[$"OTEL_{signal}_EXPORTER"], "none", StringComparison.OrdinalIgnoreCase)
        && (!string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"])
            || !string.IsNullOrEmpty(configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"]));

    internal static ResourceBuilder Resource() => ResourceBuilder.CreateEmpty()
        .AddService("stoa", serviceVersion: typeof(OtlpExport).Assembly.GetName().Version?.ToString(3))
        .AddTelemetrySdk()
        .AddEnvironmentVariableDetector();
}
