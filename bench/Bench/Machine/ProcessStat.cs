using System.Globalization;

namespace Stoa.Bench.Machine;

/// <summary>What the kernel says about processes (/proc).</summary>
internal static class ProcessStat
{
    private const double MicrosecondsPerTick = 10_000;

    /// <summary>User and system time of these processes alone, all threads.</summary>
    internal static double CpuMicroseconds(IEnumerable<int> processes) =>
        processes.Sum(id => Ticks(id, withReaped: false)) * MicrosecondsPerTick;

    /// <summary>The same with all descendants, those that ended included.</summary>
    internal static double TreeCpuMicroseconds(IEnumerable<int> roots) =>
        Tree(roots).Sum(id => Ticks(id, withReaped: true)) * MicrosecondsPerTick;

    internal static double ResidentMegabytes(int process) => Status(process, "VmRSS:");

    internal static double PeakResidentMegabytes(int process) => Status(process, "VmHWM:");

    private static double Status(int process, string label)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(each => each.StartsWith(label, StringComparison.Ordinal));
        var kilobytes = line[label.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
        return double.Parse(kilobytes, CultureInfo.InvariantCulture) / 1024;
    }

    private static HashSet<int> Tree(IEnumerable<int> roots)
    {
        var parents = new Dictionary<int, int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && Fields(id) is { } fields)
            {
                parents[id] = int.Parse(fields[1], CultureInfo.InvariantCulture);
            }
        }
        var tree = roots.ToHashSet();
        for (var grows = true; grows;)
        {
            grows = false;
            foreach (var (id, parent) in parents)
            {
                grows |= tree.Contains(parent) && tree.Add(id);
            }
        }
        return tree;
    }

    private static long Ticks(int process, bool withReaped)
    {
        if (Fields(process) is not { } fields)
        {
            return 0;
        }
        // proc(5): utime, stime, cutime, cstime are fields 14 to 17; the split below starts at field 3.
        return fields[11..(withReaped ? 15 : 13)].Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
    }

    private static string[]? Fields(int process)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{process}/stat");
            return line[(line.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
