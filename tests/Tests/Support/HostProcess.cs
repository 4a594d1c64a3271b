using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Stoa.Tests.Support;

/// <summary>
/// The real host as a child process, with its private cluster in a folder of its own; it can be killed and started again.
/// <c>STOA_HOST_DLL</c> points the tests at another build.
/// </summary>
internal sealed class HostProcess : IAsyncDisposable
{
    internal const string DevelopmentKey = "stoa-dev";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly IReadOnlyDictionary<string, string?> _settings;
    private readonly string _folder = OpenFolder();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly int _internalPort = FreePort();
    private Process? _process;

    private HostProcess(IReadOnlyDictionary<string, string?> settings)
    {
        _settings = settings;
        BaseAddress = new($"http://127.0.0.1:{FreePort().ToString(CultureInfo.InvariantCulture)}");
        InternalAddress = new($"http://127.0.0.1:{_internalPort.ToString(CultureInfo.InvariantCulture)}");
    }

    internal Uri BaseAddress { get; }

    internal Uri InternalAddress { get; }

    internal int ProcessId => _process!.Id;

    /// <summary>The server's id from its own pid file; null when no server has written one.</summary>
    internal int? PostgresProcessId => Directory.EnumerateFiles(_folder, "postmaster.pid", SearchOption.AllDirectories)
        .Select(file => (int?)int.Parse(File.ReadLines(file).First(), CultureInfo.InvariantCulture)).FirstOrDefault();

    internal string Log => string.Join('\n', _log);

    internal static async Task<HostProcess> StartAsync(IReadOnlyDictionary<string, string?> settings)
    {
        var host = new HostProcess(settings);
        try
        {
            await host.StartAgainAsync();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    internal static IEnumerable<KeyValuePair<string, string?>> ProviderSettings(string name, string kind, ScriptedProvider provider)
    {
        yield return new($"Gateway__Providers__{name}__Kind", kind);
        yield return new($"Gateway__Providers__{name}__BaseUrl", new Uri(provider.BaseAddress, kind == "openai" ? "/v1" : "/").ToString());
        yield return new($"Gateway__Providers__{name}__ApiKey", provider.Key);
    }

    internal async Task StartAgainAsync()
    {
        var start = new ProcessStartInfo("dotnet", [HostDll, "serve"])
        {
            WorkingDirectory = Repository.Root,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in _settings)
        {
            start.Environment[name] = value;
        }
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        start.Environment["ASPNETCORE_URLS"] = BaseAddress.ToString();
        start.Environment["Stoa__InternalUrls"] = InternalAddress.ToString();
        start.Environment["Stoa__DataDirectory"] = _folder;
        _process?.Dispose();
        _process = Process.Start(start) ?? throw new InvalidOperationException("The host could not be started.");
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await WaitUntilReadyAsync();
    }

    internal HttpClient CreateClient(string key = DevelopmentKey)
    {
        var client = new HttpClient { BaseAddress = BaseAddress };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>kill -9, as a crash would.</summary>
    internal async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>kill -9 of the server and all its backends.</summary>
    internal Task KillPostgresAsync() => SignalAsync("KILL", PostgresProcesses());

    /// <summary>The database stops answering, without a word.</summary>
    internal Task FreezePostgresAsync() => SignalAsync("STOP", PostgresProcesses());

    internal Task ThawPostgresAsync() => SignalAsync("CONT", PostgresProcesses());

    /// <summary>The server and its children, each of which has a process group of its own.</summary>
    private int[] PostgresProcesses()
    {
        if (PostgresProcessId is not { } server)
        {
            return [];
        }
        var children = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && ParentOf(id) == server);
        return [server, .. children];
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

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await SignalAsync("TERM", [_process.Id]);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(40), TimeProvider.System);
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                await KillAsync();
            }
        }
        if (PostgresProcessId is { } orphan)
        {
            await SignalAsync("QUIT", [orphan]);
        }
        _process?.Dispose();
        await DeleteFolderAsync();
    }

    /// <summary>A folder that the server's own user can reach too, so that the cluster lives in it also when we are root.</summary>
    private static string OpenFolder()
    {
        var folder = Directory.CreateTempSubdirectory("stoa-host-");
        if (!OperatingSystem.IsWindows())
        {
            folder.UnixFileMode |= UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        }
        return folder.FullName;
    }

    private static string HostDll =>
        Environment.GetEnvironmentVariable("STOA_HOST_DLL") ?? Path.Combine(AppContext.BaseDirectory, "Stoa.Host.dll");

    private async Task WaitUntilReadyAsync()
    {
        using var client = new HttpClient { BaseAddress = InternalAddress };
        var started = TimeProvider.System.GetTimestamp();
        while (!await IsReadyAsync(client))
        {
            Assert.False(_process!.HasExited, $"The host stopped while starting:\n{Log}");
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, $"The host did not get ready:\n{Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient client)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri("/readyz", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task DeleteFolderAsync()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
                return;
            }
            catch (IOException) when (attempt < 20)
            {
                // The server removes its own files while it stops.
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        }
    }

    private void Note(string? line)
    {
        if (line is not null)
        {
            _log.Enqueue(line);
        }
    }

    private static async Task SignalAsync(string signal, int[] processes)
    {
        if (processes.Length == 0)
        {
            return;
        }
        string[] words = [$"-{signal}", .. processes.Select(id => id.ToString(CultureInfo.InvariantCulture))];
        using var kill = Process.Start(new ProcessStartInfo("kill", words) { UseShellExecute = false, RedirectStandardError = true })!;
        await kill.WaitForExitAsync();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
