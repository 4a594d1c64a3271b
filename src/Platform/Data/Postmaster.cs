using System.Diagnostics;
using System.Globalization;

namespace Stoa.Platform.Data;

/// <summary>The running server of a cluster, as its own pid file (<c>postmaster.pid</c>) describes it.</summary>
internal sealed record Postmaster(int ProcessId, int Port, string SocketFolder, bool IsReady)
{
    /// <summary>The server that runs on this cluster; null when there is none, whatever a stale pid file says.</summary>
    public static async Task<Postmaster?> FindAsync(string cluster, CancellationToken ct) =>
        Read(cluster) is { } server && await ServesAsync(server.ProcessId, cluster, ct) ? server : null;

    /// <summary>
    /// PostgreSQL clears a pid file of a process that is gone, but not one whose number now belongs to a stranger or to an
    /// unreaped corpse: it would wait for that forever. Its shared memory check still stands guard over what is really running.
    /// </summary>
    public static async Task RemoveMisleadingPidFileAsync(string cluster, CancellationToken ct)
    {
        if (Read(cluster) is { } server && Exists(server.ProcessId) && !await ServesAsync(server.ProcessId, cluster, ct))
        {
            File.Delete(PidFile(cluster));
        }
    }

    private static Postmaster? Read(string cluster)
    {
        try
        {
            // 0 pid, 1 data directory, 2 start time, 3 port, 4 socket folder, 5 address, 6 shared memory, 7 state
            var lines = File.ReadAllLines(PidFile(cluster));
            return lines.Length > 0 && int.TryParse(lines[0], NumberStyles.Integer, CultureInfo.InvariantCulture, out var pid)
                ? new(
                    pid,
                    lines.Length > 3 && int.TryParse(lines[3], NumberStyles.Integer, CultureInfo.InvariantCulture, out var port) ? port : 0,
                    lines.Length > 4 ? lines[4] : "",
                    lines.Length > 7 && lines[7].Trim() is "ready")
                : null;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static async Task<bool> ServesAsync(int pid, string cluster, CancellationToken ct)
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                var arguments = (await File.ReadAllTextAsync($"/proc/{pid}/cmdline", ct)).Split('\0');
                return Path.GetFileName(arguments[0]) is "postgres" && arguments.Contains(cluster, StringComparer.Ordinal);
            }
            catch (IOException)
            {
                return false;
            }
        }
        var listing = await Command.RunAsync("ps", ["-o", "command=", "-p", pid.ToString(CultureInfo.InvariantCulture)], ct);
        return listing.Output.Contains("postgres", StringComparison.Ordinal) &&
            listing.Output.Contains(cluster, StringComparison.Ordinal);
    }

    private static bool Exists(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static string PidFile(string cluster) => Path.Combine(cluster, "postmaster.pid");
}
