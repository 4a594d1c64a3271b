using System.Globalization;
using System.Runtime.InteropServices;

namespace Stoa.Bench.Scenarios;

/// <summary>
/// All benchmarks, one after the other, as a Markdown table of what has a bound and of the floors it is to be read by: the plain proxy,
/// plain SQL. All figures go to standard error as they come.
/// </summary>
internal static class Table
{
    private static readonly string[] Floors = ["floor", "plain"];

    /// <summary>Not among them: it proves the rig, and the one that takes ten minutes of faults.</summary>
    private static readonly string[] Apart = ["rig", "jobs-chaos"];

    /// <returns>Whether all bounds were kept.</returns>
    internal static async Task<bool> PlayAsync(Arguments arguments)
    {
        var only = arguments.Text("only")?.Split(',');
        var ok = true;
        await Console.Out.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {Environment.ProcessorCount} processors ({Processor()}), {Memory():0} GiB, .NET {Environment.Version}\n"));
        await Console.Out.WriteLineAsync("| Figure | Measured | Bound | |\n|---|--:|--:|---|");
        foreach (var scenario in Scenario.All.Where(one => only is null ? !Apart.Contains(one.Name) : only.Contains(one.Name)))
        {
            await Console.Error.WriteLineAsync($"{scenario.Name}: {TimeProvider.System.GetUtcNow():HH:mm:ss}");
            try
            {
                await foreach (var figure in scenario.MeasureAsync(arguments))
                {
                    await Console.Error.WriteLineAsync(figure.ToJson());
                    ok &= figure.Ok;
                    if (figure.Bound is not null || Floors.Any(floor => figure.Name.Contains(floor, StringComparison.Ordinal)))
                    {
                        await Console.Out.WriteLineAsync(Row(figure));
                    }
                }
            }
            catch (InvalidOperationException failed)
            {
                ok = false;
                await Console.Out.WriteLineAsync($"| `{scenario.Name}` | not measured: {failed.Message} | | |");
            }
        }
        return ok;
    }

    private static string Row(Figure figure) => string.Create(
        CultureInfo.InvariantCulture,
        $"| `{figure.Name}` | {figure.Value:#,0.###} {figure.Unit} | {(figure.IsLeast ? "at least " : "")}{figure.Bound:#,0.###} | {(figure.Bound is null ? "" : figure.Ok ? "held" : "**missed**")} |");

    private static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
        ?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();

    private static double Memory() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30);
}
