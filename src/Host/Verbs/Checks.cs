using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using Stoa.Platform;
using Stoa.Platform.Data;

namespace Stoa.Host.Verbs;

/// <summary>What the doctor looks at, each on its own.</summary>
internal static class Checks
{
    private const long LittleSpace = 1L << 30;

    /// <summary>How long somebody may take to say that he is a host of ours.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Kinds of provider that run beside the host or in it, and ask for no key.</summary>
    private static readonly string[] OwnServers = ["demo", "ollama", "llamacpp", "vllm"];

    private static readonly DateTimeOffset Built = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static async Task<List<Finding>> RunAsync(IConfiguration configuration, CancellationToken ct)
    {
        var options = Settings.Read<StoaOptions>(configuration, StoaOptions.Section);
        var urls = configuration["urls"] is { Length: > 0 } configured ? configured : "http://127.0.0.1:8080";
        return
        [
            DataDirectory(options.DataDirectory),
            Space(options.DataDirectory),
            configuration.GetConnectionString("Stoa") is { Length: > 0 } connection
                ? await PostgresAsync(connection, ct)
                : await PostgresProgramsAsync(options.PostgresBin, ct),
            .. await Task.WhenAll($"{urls};{options.InternalUrls}"
                .Split(';', StringSplitOptions.RemoveEmptyEntries).Select(url => PortAsync(url, Patience, ct))),
            Clock(TimeProvider.System),
            .. Providers(configuration),
        ];
    }

    internal static Finding DataDirectory(string path)
    {
        var full = Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(full);
            var probe = Path.Combine(full, $".doctor-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
            return new(Health.Ok, "data directory", full);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(Health.Fail, "data directory", $"{full} cannot be written",
                "give this user the directory, or set Stoa__DataDirectory to another");
        }
    }

    internal static async Task<Finding> PortAsync(string url, TimeSpan patience, CancellationToken ct)
    {
        var address = BindingAddress.Parse(url.Trim());
        if (address.IsUnixPipe || address.Port == 0)
        {
            return new(Health.Ok, "listener", url);
        }
        var ip = IPAddress.TryParse(address.Host.Trim('[', ']'), out var parsed) ? parsed : IPAddress.Loopback;
        try
        {
            using var probe = new TcpListener(ip, address.Port);
            probe.Start();
            return new(Health.Ok, "listener", $"{url} is free");
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.AddressAlreadyInUse && await IsServedAsync(address.Port, patience, ct)
                ? new(Health.Warn, "listener", $"{url} is used by a host that is up",
                    "nothing, unless you want to start another: stop it then")
                : new(Health.Fail, "listener", $"{url} cannot be used ({e.SocketErrorCode})",
                    "stop what uses it, or choose another with ASPNETCORE_URLS or Stoa__InternalUrls");
        }
    }

    /// <summary>Whether what listens there says that it is healthy in our words.</summary>
    private static async Task<bool> IsServedAsync(int port, TimeSpan patience, CancellationToken ct)
    {
        try
        {
            using var client = new HttpClient { Timeout = patience };
            return (await client.GetStringAsync(new UriBuilder(Uri.UriSchemeHttp, IPAddress.Loopback.ToString(), port, "/healthz").Uri, ct))
                .Trim() == "ok";
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !ct.IsCancellationRequested)
        {
            return false;
        }
    }

    internal static IEnumerable<Finding> Providers(IConfiguration configuration)
    {
        var providers = configuration.GetSection("Gateway:Providers").GetChildren().ToList();
        return providers.Count == 0
            ? [new(Health.Warn, "providers", "none: outside Development no model answers",
                "set Gateway__Providers__openai__Kind=openai and Gateway__Providers__openai__ApiKey, or another provider's")]
            : providers.Select(provider => Provider(
                provider.Key, provider["Kind"], provider["BaseUrl"], hasKey: !string.IsNullOrEmpty(provider["ApiKey"])));
    }

    private static Finding Provider(string name, string? kind, string? address, bool hasKey)
    {
        var uri = Uri.TryCreate(address, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https" ? parsed : null;
        if (uri is null && !string.IsNullOrEmpty(address))
        {
            return new(Health.Fail, $"provider {name}", "its base address is not a web address",
                $"set Gateway__Providers__{name}__BaseUrl to something like https://api.example.org/v1");
        }
        // Whoever answers at an address of the operator's own may need none.
        return hasKey || uri is not null || OwnServers.Contains(kind, StringComparer.OrdinalIgnoreCase)
            ? new(Health.Ok, $"provider {name}", $"{kind}{(uri is null ? "" : $" at {uri.Host}")}{(hasKey ? ", with a key" : "")}")
            : new(Health.Warn, $"provider {name}", $"{kind}, without a key: only organizations that bring one of their own are answered",
                $"set Gateway__Providers__{name}__ApiKey");
    }

    internal static Finding Clock(TimeProvider time)
    {
        var now = time.GetUtcNow();
        return now > Built
            ? new(Health.Ok, "clock", now.ToString("u", CultureInfo.InvariantCulture))
            : new(Health.Fail, "clock", $"{now:u} is in the past", "set the clock, for example by NTP: keys and limits depend on it");
    }

    /// <summary>The spool of usage lies below the data directory; when it cannot grow, calls are refused.</summary>
    private static Finding Space(string path)
    {
        var free = new DriveInfo(Path.GetFullPath(path)).AvailableFreeSpace;
        var found = $"{free / (1024 * 1024):N0} MB free";
        return free >= LittleSpace
            ? new(Health.Ok, "space", found)
            : new(Health.Warn, "space", found, "make room, or set Stoa__DataDirectory to a larger disk: a full spool refuses calls");
    }

    private static async Task<Finding> PostgresAsync(string connection, CancellationToken ct)
    {
        try
        {
            await using var source = NpgsqlDataSource.Create(connection);
            await using var open = await source.OpenConnectionAsync(ct);
            return open.PostgreSqlVersion.Major >= PostgresBinaries.OldestMajor
                ? new(Health.Ok, "PostgreSQL", $"version {open.PostgreSqlVersion} answers")
                : new(Health.Fail, "PostgreSQL", $"version {open.PostgreSqlVersion}",
                    $"use version {PostgresBinaries.OldestMajor} or later");
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentException or TimeoutException or SocketException)
        {
            return new(Health.Fail, "PostgreSQL", e.Message, "check ConnectionStrings__Stoa, or unset it to use a private cluster");
        }
    }

    /// <summary>The programs that the private cluster would run with.</summary>
    private static async Task<Finding> PostgresProgramsAsync(string? setting, CancellationToken ct)
    {
        try
        {
            var found = await PostgresBinaries.FindAsync(setting, existing: null, ct);
            return new(Health.Ok, "PostgreSQL", $"version {found.Major}, programs in {found.Folder}");
        }
        catch (DatabaseException missing)
        {
            return new(Health.Fail, "PostgreSQL", "no server programs found", missing.Message);
        }
    }
}
