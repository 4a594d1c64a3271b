using System.Diagnostics;
using System.Globalization;

namespace Stoa.Tests.Support;

/// <summary>A private cluster's PostgreSQL as the system sees it, found by its own pid file.</summary>
internal static class ServerProcess
{
    /// <summary>Null when no server has left a pid file below the folder.</summary>
    internal static int? IdIn(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "postmaster.pid", SearchOption.AllDirectories))
        {
            try
            {
                if (File.ReadLines(file).FirstOrDefault() is { } line)
                {
                    return int.Parse(line, CultureInfo.InvariantCulture);
                }
            }
            catch (FileNotFoundException)
            {
                // It ended while we looked.
            }
        }
        return null;
    }

    /// <summary>Ends a server that was left behind. It removes files of its own until it is gone.</summary>
    internal static async Task EndAsync(string folder)
    {
        var server = IdIn(folder);
        await SignalAsync("QUIT", server);
        await Patience.UntilAsync(() => server is not { } id || !IsAlive(id), () => $"The server {server} does not end");
    }

    /// <summary>Signals the server and its children, each of which has a process group of its own.</summary>
    internal static Task SignalAllAsync(string signal, string folder)
    {
        var server = IdIn(folder);
        var children = Directory.EnumerateDirectories("/proc")
            .Select(each => int.TryParse(Path.GetFileName(each), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && server is not null && ParentOf(id) == server);
        return SignalAsync(signal, [server, .. children]);
    }

    internal static async Task SignalAsync(string signal, params IEnumerable<int?> processes)
    {
        string[] words = [$"-{signal}", .. processes.OfType<int>().Select(id => id.ToString(CultureInfo.InvariantCulture))];
        if (words.Length == 1)
        {
            return;
        }
        using var kill = Process.Start(new ProcessStartInfo("kill", words) { UseShellExecute = false, RedirectStandardError = true })!;
        await kill.WaitForExitAsync();
    }

    private static bool IsAlive(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static int? ParentOf(int process)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
            return int.Parse(line[(line.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // It ended while we looked.
            return null;
        }
    }
}
