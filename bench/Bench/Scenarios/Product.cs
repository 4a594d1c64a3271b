using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Stoa.Bench.Machine;

namespace Stoa.Bench.Scenarios;

/// <summary>
/// The built host as an operator runs it: Production, its private cluster, a key with limits that count, usage and JSON logs on.
/// <c>STOA_HOST_DLL</c> (set by bin/bench) is the build.
/// </summary>
internal sealed partial class Product : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder;
    private readonly Dictionary<string, string> _environment;
    private readonly int _port = Child.FreePort();
    private readonly int _internalPort = Child.FreePort();
    private Child? _host;

    private Product(Uri upstream)
    {
        var folder = Directory.CreateTempSubdirectory("stoa-bench-");
        // The server's own user must reach its cluster when we are root.
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
        _folder = folder.FullName;
        _environment = new(StringComparer.Ordinal)
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["ASPNETCORE_URLS"] = Rig.Loopback(_port).ToString(),
            ["Stoa__InternalUrls"] = Rig.Loopback(_internalPort).ToString(),
            ["Stoa__DataDirectory"] = _folder,
            ["Gateway__Providers__openai__Kind"] = "openai",
            ["Gateway__Providers__openai__BaseUrl"] = new Uri(upstream, "/v1").ToString(),
            ["Gateway__Providers__openai__ApiKey"] = "upstream-key",
            ["Gateway__Providers__anthropic__Kind"] = "anthropic",
            ["Gateway__Providers__anthropic__BaseUrl"] = upstream.ToString(),
            ["Gateway__Providers__anthropic__ApiKey"] = "upstream-key",
        };
    }

    internal string Log => Path.Combine(_folder, "host.log");

    internal int ProcessId => _host!.Id;

    /// <summary>Where the host and its PostgreSQL run, from the next start on.</summary>
    internal int Cpu { get; init; } = Child.TestedCpu;

    internal Uri BaseUrl => Rig.Loopback(_port);

    internal Uri InternalUrl => Rig.Loopback(_internalPort);

    internal static async Task<Product> StartAsync(Uri upstream)
    {
        var product = new Product(upstream);
        await product.StartAsync();
        return product;
    }

    internal static Product Prepare(Uri upstream) => new(upstream);

    /// <summary>On all CPUs, with no provider to be reached.</summary>
    internal static Product Prepare() => new(new("http://127.0.0.1:1")) { Cpu = Child.AnyCpu };

    /// <summary>One more setting, for the next start.</summary>
    internal void Set(string variable, string value) => _environment[variable] = value;

    /// <summary>Starts the host (again) and returns how long it took until <c>/readyz</c> said so.</summary>
    internal async Task<TimeSpan> StartAsync()
    {
        _host = Child.Start(Cpu, HostDll, ["serve"], _environment, Log);
        return await _host.WaitUntilAsync(new(Rig.Loopback(_internalPort), "/readyz"), Patience, CancellationToken.None);
    }

    internal async Task StopAsync()
    {
        await _host!.DisposeAsync();
        _host = null;
    }

    /// <summary>As a crash ends it; its PostgreSQL stays for the next start.</summary>
    internal async Task KillAsync()
    {
        await _host!.KillAsync();
        _host = null;
    }

    /// <summary>Limits so high that they never refuse and still are counted.</summary>
    internal async Task<string> CreateKeyAsync()
    {
        string[] verb = ["keys", "create", "--name", "bench", "--new-organization", "--rpm", "2000000000", "--tpm", "2000000000"];
        await using var create = Child.Start(Child.TestedCpu, HostDll, verb, _environment);
        var output = await create.OutputAsync(CancellationToken.None);
        var key = KeyPattern().Match(output) is { Success: true } found
            ? found.Value
            : throw new InvalidOperationException("keys create printed no key.");
        await WaitUntilKnownAsync(key);
        return key;
    }

    /// <summary>The running host learns of the key by itself, within a second.</summary>
    private async Task WaitUntilKnownAsync(string key)
    {
        using var client = new HttpClient { BaseAddress = Rig.Loopback(_port) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        for (var attempt = 0; attempt < 100; attempt++)
        {
            using var answer = await client.GetAsync(new Uri("/v1/models", UriKind.Relative));
            if (answer.IsSuccessStatusCode)
            {
                return;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
        throw new InvalidOperationException("The host does not know the key that was made for it.");
    }

    /// <summary>Runs statements in the private cluster, past the host; what they find, line by line.</summary>
    internal async Task<string> SqlAsync(string sql) =>
        await RunAsync("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", .. Address(), "stoa"], sql);

    /// <summary>The rows of a question in the private cluster, their cells with <c>|</c> between them.</summary>
    internal Task<string> QueryAsync(string sql) =>
        RunAsync("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", .. Address(), "stoa"], sql);

    /// <summary>
    /// One script over and over in the private cluster, each time a transaction of its own; null where there is no pgbench.
    /// </summary>
    internal async Task<double?> RateAsync(string script, int clients, int seconds)
    {
        var pgbench = Path.Combine(
            Path.GetDirectoryName(File.ResolveLinkTarget($"/proc/{PostgresId()[0]}/exe", returnFinalTarget: true)!.FullName)!, "pgbench");
        if (!File.Exists(pgbench))
        {
            return null;
        }
        var file = Path.Combine(_folder, "script.sql");
        await File.WriteAllTextAsync(file, script);
        var output = await RunAsync(
            pgbench, ["-n", "-M", "prepared", "-c", Text(clients), "-j", "1", "-T", Text(seconds), "-f", file, .. Address(), "stoa"], "");
        return double.Parse(RatePattern().Match(output).Groups["rate"].ValueSpan, CultureInfo.InvariantCulture);
    }

    private string[] Address()
    {
        // 3 port, 4 folder of the socket
        var lines = File.ReadAllLines(Directory.EnumerateFiles(_folder, "postmaster.pid", SearchOption.AllDirectories).Single());
        return ["-h", lines[4], "-p", lines[3], "-U", "stoa"];
    }

    private static async Task<string> RunAsync(string program, string[] words, string input)
    {
        var start = new ProcessStartInfo(program, words)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} could not be started.");
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with code {process.ExitCode}.");
    }

    internal Target As(string name, string key, string provider) =>
        new(name, Rig.Loopback(_port), key, $"{provider}/", [_host!.Id, .. PostgresId()]);

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await StopAsync();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private static string HostDll => Environment.GetEnvironmentVariable("STOA_HOST_DLL")
        ?? throw new InvalidOperationException("STOA_HOST_DLL is not set; run the benchmarks through bin/bench.");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    internal int[] PostgresId() =>
    [
        .. Directory.EnumerateFiles(_folder, "postmaster.pid", SearchOption.AllDirectories)
            .Select(file => int.Parse(File.ReadLines(file).First(), CultureInfo.InvariantCulture)),
    ];

    [GeneratedRegex("tps = (?<rate>[0-9.]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RatePattern();

    [GeneratedRegex("stoa_[A-Za-z0-9_]{40,}", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex KeyPattern();
}
