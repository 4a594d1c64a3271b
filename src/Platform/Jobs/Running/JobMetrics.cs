using System.Diagnostics.Metrics;
using Stoa.Platform.Telemetry;

namespace Stoa.Platform.Jobs;

/// <summary>What the engine tells of itself. Depths are of the whole cluster, as the last look at the tables saw them.</summary>
internal static class JobMetrics
{
    private static readonly Counter<long> Ended =
        Signals.Meter.CreateCounter<long>("stoa.jobs.ended", description: "Runs, by how they ended");
    private static readonly Counter<long> LeaseLosses =
        Signals.Meter.CreateCounter<long>("stoa.jobs.lease_losses", description: "Leases that ran out or were taken");
    private static readonly Histogram<double> Waits = Signals.Meter.CreateHistogram<double>("stoa.jobs.wait", "s", "From due to started");
    private static readonly Histogram<double> Runs = Signals.Meter.CreateHistogram<double>("stoa.jobs.run", "s", "From started to ended");

    private static volatile IReadOnlyList<KindOverview> overview = [];

    static JobMetrics()
    {
        Signals.Meter.CreateObservableGauge("stoa.jobs.depth", () => overview.SelectMany(Depths), description: "Unfinished jobs");
        Signals.Meter.CreateObservableGauge(
            "stoa.jobs.oldest_age",
            () => overview.Select(kind => new Measurement<double>(kind.OldestAge.TotalSeconds, Kind(kind.Kind))), "s",
            "How long the oldest due job has been due");
        Signals.Meter.CreateObservableGauge(
            "stoa.jobs.late", () => overview.Select(kind => new Measurement<int>(kind.IsLate ? 1 : 0, Kind(kind.Kind))),
            description: "1 when a kind has not succeeded for longer than it may");
    }

    public static void Started(string kind, TimeSpan waited) => Waits.Record(Math.Max(0, waited.TotalSeconds), Kind(kind));

    public static void RunEnded(string kind, string how, TimeSpan ran)
    {
        Runs.Record(ran.TotalSeconds, Kind(kind));
        Ended.Add(1, Kind(kind), new("how", how));
    }

    public static void LeaseLost(string kind) => LeaseLosses.Add(1, Kind(kind));

    public static void Looked(IReadOnlyList<KindOverview> kinds) => overview = kinds;

    private static IEnumerable<Measurement<long>> Depths(KindOverview kind)
    {
        yield return new(kind.Available, Kind(kind.Kind), new("state", "available"));
        yield return new(kind.Running, Kind(kind.Kind), new("state", "running"));
        yield return new(kind.Waiting, Kind(kind.Kind), new("state", "waiting"));
        yield return new(kind.Parked, Kind(kind.Kind), new("state", "parked"));
    }

    private static KeyValuePair<string, object?> Kind(string kind) => new("kind", kind);
}
