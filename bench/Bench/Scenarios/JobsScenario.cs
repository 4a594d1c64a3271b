using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Stoa.Bench.Scenarios;

/// <summary>The jobs engine beside plain SQL; measured by the jobs rig, a process of its own on all CPUs.</summary>
internal sealed class JobsScenario : Scenario
{
    internal override string Name => "jobs";

    internal override string Purpose => "jobs: throughput, start latency, claims among a million, beside plain SQL";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        string[] words = ["bench", .. arguments.Flag("quick") ? (string[])["--quick"] : []];
        await foreach (var line in JobsRig.RunAsync(words))
        {
            var figure = line.RootElement;
            double? bound = figure.GetProperty("bound") is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;
            yield return new(
                figure.GetProperty("name").GetString()!, figure.GetProperty("value").GetDouble(),
                figure.GetProperty("unit").GetString()!, bound);
        }
    }
}

/// <summary>Ten minutes of kills, freezes, restarts and cut connections; the ledger must show no violation.</summary>
internal sealed class JobsChaosScenario : Scenario
{
    internal override string Name => "jobs-chaos";

    internal override string Purpose =>
        "jobs: three nodes through ten minutes of faults [--seconds N] [--seed N] [--mutant name] [--proxy file]";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        List<string> words = ["chaos", "--seconds", arguments.Number("seconds", 600).ToString(CultureInfo.InvariantCulture)];
        foreach (var name in (string[])["seed", "mutant", "proxy"])
        {
            words.AddRange(arguments.Text(name) is { } value ? [$"--{name}", value] : []);
        }
        await foreach (var report in JobsRig.RunAsync([.. words]))
        {
            await NoteAsync(report.RootElement.ToString());
            yield return new("chaos.jobs", report.RootElement.GetProperty("Jobs").GetInt64(), "");
            yield return new("chaos.recovery", report.RootElement.GetProperty("Recovery").GetDouble(), "s", Bound: 33);
            yield return new("chaos.violations", report.RootElement.GetProperty("Violations").GetArrayLength(), "", Bound: 0);
        }
    }
}

/// <summary>
/// The rig as a child: each line of its output is a JSON document. <c>STOA_JOBS_RIG_DLL</c> (set by bin/bench) is the build.
/// </summary>
internal static class JobsRig
{
    public static async IAsyncEnumerable<JsonDocument> RunAsync(string[] words)
    {
        var dll = Environment.GetEnvironmentVariable("STOA_JOBS_RIG_DLL")
            ?? throw new InvalidOperationException("STOA_JOBS_RIG_DLL is not set; run the benchmarks through bin/bench.");
        using var process =
            Process.Start(new ProcessStartInfo("dotnet", [dll, .. words]) { RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException("The jobs rig could not be started.");
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith('{'))
            {
                yield return JsonDocument.Parse(line);
            }
        }
        await process.WaitForExitAsync();
    }
}
