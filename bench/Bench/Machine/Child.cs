using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Stoa.Bench.Machine;

/// <summary>A child process, pinned to a CPU where the machine has two and <c>taskset</c>; ended by its own id.</summary>
internal sealed class Child : IAsyncDisposable
{
    internal const int LoadCpu = 0;
    internal const int TestedCpu = 1;

    /// <summary>Not pinned.</summary>
    internal const int AnyCpu = -1;

    private static readonly bool Pins = Environment.ProcessorCount > 1 && File.Exists("/usr/bin/taskset");

    private readonly Process _process;
    private readonly StreamWriter? _log;

    private Child(Process process, string? log)
    {
        _process = process;
        if (log is not null)
        {
            _log = new StreamWriter(log) { AutoFlush = true };
            _process.OutputDataReceived += (_, line) => Note(line.Data);
            _process.ErrorDataReceived += (_, line) => Note(line.Data);
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }
    }

    internal int Id => _process.Id;

    internal bool HasExited => _process.HasExited;

    internal static Child Start(
        int cpu, string dll, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? log = null)
    {
        string[] command = ["dotnet", dll, .. arguments];
        var words = Pins && cpu != AnyCpu ? ["taskset", "-c", cpu.ToString(CultureInfo.InvariantCulture), .. command] : command;
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = log is not null,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            start.Environment[name] = value;
        }
        return new(Process.Start(start) ?? throw new InvalidOperationException($"{words[0]} could not be started."), log);
    }

    /// <summary>A role of this executable, with inline socket completions so that it costs little itself.</summary>
    internal static Child StartRole(int cpu, bool inline, params string[] arguments) => Start(
        cpu,
        typeof(Child).Assembly.Location,
        arguments,
        inline
            ? new Dictionary<string, string>(StringComparer.Ordinal) { ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1" }
            : null);

    internal async Task<string> OutputAsync(CancellationToken ct)
    {
        var text = await _process.StandardOutput.ReadToEndAsync(ct);
        await _process.WaitForExitAsync(ct);
        return _process.ExitCode == 0 ? text : throw new InvalidOperationException($"A child process ended with code {_process.ExitCode}.");
    }

    /// <summary>Waits until an address answers 200; returns how long that took.</summary>
    internal async Task<TimeSpan> WaitUntilAsync(Uri ready, TimeSpan patience, CancellationToken ct)
    {
        using var client = new HttpClient();
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < patience && !HasExited)
        {
            try
            {
                using var answer = await client.GetAsync(ready, ct);
                if (answer.IsSuccessStatusCode)
                {
                    return Stopwatch.GetElapsedTime(started);
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, ct);
        }
        throw new InvalidOperationException($"{ready} did not get ready.");
    }

    /// <summary>SIGTERM, and after half a minute SIGKILL.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using (var kill = Process.Start("kill", ["-TERM", Id.ToString(CultureInfo.InvariantCulture)]))
            {
                await kill.WaitForExitAsync();
            }
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
            }
        }
        _process.Dispose();
        if (_log is not null)
        {
            await _log.DisposeAsync();
        }
    }

    /// <summary>SIGKILL.</summary>
    internal async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await DisposeAsync();
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Note(string? line)
    {
        if (line is not null)
        {
            lock (_log!)
            {
                _log.WriteLine(line);
            }
        }
    }
}
