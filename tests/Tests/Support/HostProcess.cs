using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using Stoa.Platform.Egress;

namespace Stoa.Tests.Support;

/// <summary>
/// The real host as a child process, with its private cluster in a folder of its own; it can be killed and started again.
/// <c>STOA_HOST_DLL</c> points the tests at another build.
/// </summary>
internal sealed class HostProcess : IAsyncDisposable
{
    internal const string DevelopmentKey = "stoa-dev";

    private readonly IReadOnlyDictionary<string, string?> _settings;
    private readonly string _folder;
    private readonly bool _ownsFolder;
    private readonly ConcurrentQueue<string> _log = new();
    private readonly int _internalPort = FreePort.Next();
    private Process? _process;

    private HostProcess(IReadOnlyDictionary<string, string?> settings, string? folder = null)
    {
        _settings = settings;
        _folder = folder ?? OpenFolder();
        _ownsFolder = folder is null;
        BaseAddress = new($"http://127.0.0.1:{FreePort.Next().ToString(CultureInfo.InvariantCulture)}");
        InternalAddress = new($"http://127.0.0.1:{_internalPort.ToString(CultureInfo.InvariantCulture)}");
    }

    internal Uri BaseAddress { get; }

    internal Uri InternalAddress { get; }

    internal int ProcessId => _process!.Id;

    internal string DataDirectory => _folder;

    internal string Log => string.Join('\n', _log);

    /// <summary>A second host on the same data directory.</summary>
    internal Task<HostProcess> StartBesideAsync() => StartAsync(new HostProcess(_settings, _folder));

    internal static Task<HostProcess> StartAsync(IReadOnlyDictionary<string, string?> settings) => StartAsync(new HostProcess(settings));

    private static async Task<HostProcess> StartAsync(HostProcess host)
    {
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
        var client = ClientAt(BaseAddress);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    /// <summary>A client for hosts that are killed: whatever goes wrong is an <see cref="HttpRequestException"/>.</summary>
    internal static HttpClient ClientAt(Uri address) =>
        new(new SocketsHttpHandler { ConnectCallback = Connections.ConnectAsync }) { BaseAddress = address, Timeout = Patience.Long };

    /// <summary>kill -9, as a crash would.</summary>
    internal async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>kill -9 of the server and all its backends.</summary>
    internal Task KillPostgresAsync() => ServerProcess.SignalAllAsync("KILL", _folder);

    /// <summary>The database stops answering, without a word.</summary>
    internal Task FreezePostgresAsync() => ServerProcess.SignalAllAsync("STOP", _folder);

    internal Task ThawPostgresAsync() => ServerProcess.SignalAllAsync("CONT", _folder);

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await ServerProcess.SignalAsync("TERM", _process.Id);
            using var patience = new CancellationTokenSource(Patience.Long, TimeProvider.System);
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                await KillAsync();
            }
        }
        if (!_ownsFolder)
        {
            _process?.Dispose();
            return;
        }
        // Left behind only when the host was killed.
        await ServerProcess.EndAsync(_folder);
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
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
        using var client = ClientAt(InternalAddress);
        await Patience.UntilAsync(
            async () =>
            {
                if (_process!.HasExited)
                {
                    // What it said last is read by then.
                    await _process.WaitForExitAsync();
                    Assert.Fail(
                        $"The host stopped while starting, with {_process.ExitCode.ToString(CultureInfo.InvariantCulture)}:\n{Log}");
                }
                return await IsReadyAsync(client);
            },
            () => $"The host did not get ready:\n{Log}");
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

    private void Note(string? line)
    {
        if (line is not null)
        {
            _log.Enqueue(line);
        }
    }
}
