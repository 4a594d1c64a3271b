using System.Diagnostics;
using System.Globalization;

namespace Stoa.Platform.Data;

/// <summary>The running server of a cluster, as its own pid file (<c>postmaster.pid</c>) describes it.</summary>
internal sealed record Postmaster(int ProcessId, int Port, string SocketFolder, bool IsReady)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestLeave = TimeSpan.FromSeconds(5);

    /// <summary>The server that runs on this cluster; null when there is none, whatever a stale pid file says.</summary>
    public static async Task<Postmaster?> FindAsync(string cluster, CancellationToken ct) =>
        Read(cluster) is { } server && await ServesAsync(server.ProcessId, cluster, ct) ? server : null;

    /// <summary>Waits for the end of a server that was stopped: it gives its pid file back a moment before its process is gone.</summary>
    public async Task LeaveAsync(string cluster, TimeProvider time, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        while (await ServesAsync(ProcessId, cluster, ct) && time.GetElapsedTime(started) < LongestLeave)
        {
            await Task.Delay(Pause, time, ct);
        }
    }

    /// <summary>
    /// PostgreSQL clears lock files of a process that is gone, but not those whose number now belongs to a stranger or to an
    /// unreaped corpse: it would refuse to start for ever. Its shared memory check still stands guard over what is really running.
    /// </summary>
    public static async Task RemoveMisleadingLocksAsync(string cluster, string socketFolder, int port, CancellationToken ct)
    {
        foreach (var file in (string[])[PidFile(cluster), Path.Combine(socketFolder, $".s.PGSQL.{port}.lock")])
        {
            if (ReadProcessId(file) is { } pid && Exists(pid) && !await ServesAsync(pid, cluster, ct))
            {
                File.Delete(file);
            }
        }
    }

    private static int? ReadProcessId(string file) =>
        ReadLines(file) is [var first, ..] && int.TryParse(first, NumberStyles.Integer, CultureInfo.InvariantCulture, out var pid)
            ? pid
            : null;

    private static Postmaster? Read(string cluster)
    {
        // 0 pid, 1 data directory, 2 start time, 3 port, 4 socket folder, 5 address, 6 shared memory, 7 state
        var lines = ReadLines(PidFile(cluster));
        return lines is [var pid, _, _, var port, var socketFolder, ..]
            && int.TryParse(pid, NumberStyles.Integer, CultureInfo.InvariantCulture, out var process)
            && int.TryParse(port, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number)
                ? new(process, number, socketFolder, lines is [_, _, _, _, _, _, _, var state, ..] && state.Trim() is "ready")
                : null;
    }

    private static string[] ReadLines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
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
