using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Stoa.Platform.Telemetry;

/// <summary>The one source of our spans and the one meter of our measurements.</summary>
public static class Signals
{
    public const string Name = "Stoa";

    public static readonly ActivitySource Spans = new(Name);

    public static readonly Meter Meter = new(Name);
}
