using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Stoa.Platform.Data;

/// <summary>
/// The PostgreSQL that the host runs for itself when it is given none. Hosts on the same data directory share it; the last one
/// to leave stops it. A host that was killed leaves the server running, and the next one takes it over.
/// </summary>
public sealed partial class PrivateCluster : IAsyncDisposable
{
    private const string Name = "stoa";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SupervisionInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestRecovery = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestLeftover = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource stopping = new();
    private readonly string dataDirectory;
    private readonly bool durable;
    private readonly ClusterHome home;
    private readonly PostgresBinaries binaries;
    private readonly FileLock presence;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private Task supervision = Task.CompletedTask;

    private PrivateCluster(
        string dataDirectory,
        bool durable,
        ClusterHome home,
        PostgresBinaries binaries,
        FileLock presence,
        ILogger logger,
        TimeProvider time)
    {
        this.dataDirectory = dataDirectory;
        this.durable = durable;
        this.home = home;
        this.binaries = binaries;
        this.presence = presence;
        this.logger = logger;
        this.time = time;
    }

    public string ConnectionString { get; private set; } = "";

    /// <summary>Where the cluster is, and why if that is not under the data directory.</summary>
    public string Where => home.Remark is null ? home.Folder : $"{home.Folder}, as {home.Remark}";

    /// <summary>Process id of the server; for operators and tests.</summary>
    public int ServerId { get; private set; }

    public static Task<PrivateCluster> StartAsync(
        string dataDirectory, string? binFolder, ILogger logger, TimeProvider time, CancellationToken ct) =>
        StartAsync(dataDirectory, binFolder, durable: true, logger, time, ct);

    internal static async Task<PrivateCluster> StartAsync(
        string dataDirectory, string? binFolder, bool durable, ILogger logger, TimeProvider time, CancellationToken ct)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new DatabaseException("On Windows, Stoa does not start PostgreSQL itself: set ConnectionStrings__Stoa.");
        }
        dataDirectory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataDirectory));
        Directory.CreateDirectory(dataDirectory);
        using var turn = await TurnAsync(dataDirectory, time, ct);
        var home = await ClusterHome.LocateAsync(dataDirectory, ct);
        var binaries = await PostgresBinaries.FindAsync(binFolder, home.ReadMajor(), ct);
        var presence = FileLock.TryShared(HostsFile(dataDirectory))
            ?? throw new DatabaseException($"{HostsFile(dataDirectory)} is locked by another program.");
        var cluster = new PrivateCluster(dataDirectory, durable, home, binaries, presence, logger, time);
        try
        {
            await cluster.EnsureRunningAsync(ct);
        }
        catch
        {
            presence.Dispose();
            throw;
        }
        cluster.supervision = cluster.SuperviseAsync(cluster.stopping.Token);
        return cluster;
    }

    /// <summary>Stops and deletes the cluster of a data directory, unless a host uses it. For what a killed test run left behind.</summary>
    internal static async Task RemoveAbandonedAsync(string dataDirectory, TimeProvider time, CancellationToken ct)
    {
        using var turn = await TurnAsync(dataDirectory, time, ct);
        using var alone = FileLock.TryExclusive(HostsFile(dataDirectory));
        if (alone is null)
        {
            return;
        }
        var home = await ClusterHome.LocateAsync(dataDirectory, ct);
        if (home.ReadMajor() is { } major && await Postmaster.FindAsync(home.Cluster, ct) is not null)
        {
            await home.StopAsync(await PostgresBinaries.FindAsync(setting: null, major, ct), time, ct);
        }
        Directory.Delete(home.Folder, recursive: true);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await supervision;
        stopping.Dispose();
        using var turn = await TurnAsync(dataDirectory, time, CancellationToken.None);
        presence.Dispose();
        using var alone = FileLock.TryExclusive(HostsFile(dataDirectory));
        if (alone is not null && await home.StopAsync(binaries, time, CancellationToken.None) is { Succeeded: false } outcome)
        {
            LogStopFailed(outcome.Complaint);
        }
    }

    // Starting, joining, restarting and stopping exclude each other among all hosts of a data directory.
    private static Task<FileLock> TurnAsync(string dataDirectory, TimeProvider time, CancellationToken ct) =>
        FileLock.ExclusiveAsync(Path.Combine(dataDirectory, "postgres.lock"), time, ct);

    // Every live host holds this file shared. Who can have it alone is the last.
    private static string HostsFile(string dataDirectory) => Path.Combine(dataDirectory, "hosts.lock");

    private async Task EnsureRunningAsync(CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var refusals = 0;
        while (true)
        {
            if (await Postmaster.FindAsync(home.Cluster, ct) is { } server)
            {
                if (server.IsReady && await AnswersAsync(server, ct))
                {
                    ServerId = server.ProcessId;
                    return;
                }
                if (time.GetElapsedTime(started) > LongestRecovery)
                {
                    throw new DatabaseException($"PostgreSQL in {home.Folder} (process {server.ProcessId}) runs but does not answer.");
                }
            }
            else if (await StartServerAsync(ct) is not { } complaint)
            {
                continue;
            }
            else if (time.GetElapsedTime(started) > LongestLeftover && ++refusals > 1)
            {
                throw new DatabaseException($"PostgreSQL in {home.Folder} does not start: {complaint}: {home.ReadEndOfLog()}");
            }
            await Task.Delay(Pause, time, ct);
        }
    }

    /// <returns>Why it did not start. Just after a kill that is normal: the old server's children take a moment to leave.</returns>
    private async Task<string?> StartServerAsync(CancellationToken ct)
    {
        if (home.ReadMajor() is null)
        {
            LogCreating(home.Folder, binaries.Major);
            await home.CreateClusterAsync(binaries, Name, durable, ct);
        }
        await home.PrepareAsync(durable, ct);
        // pg_ctl gives the server a session of its own: a Ctrl-C in our terminal does not reach it before we have drained.
        var wait = ((int)LongestRecovery.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        var outcome = await home.Account.RunAsync(
            binaries["pg_ctl"], ["start", "-D", home.Cluster, "-l", home.Log, "-w", "-t", wait, "-s"], ct);
        return outcome.Succeeded ? null : outcome.Complaint;
    }

    private async Task<bool> AnswersAsync(Postmaster server, CancellationToken ct)
    {
        var address = new NpgsqlConnectionStringBuilder
        {
            Host = server.SocketFolder,
            Port = server.Port,
            Username = Name,
            Database = "postgres",
            Pooling = false,
            Timeout = 5,
        };
        try
        {
            await using var connection = new NpgsqlConnection(address.ConnectionString);
            await connection.OpenAsync(ct);
            await using var ask = new NpgsqlCommand(
                "select current_setting('data_directory'), exists (select from pg_database where datname = $1)", connection)
            {
                Parameters = { new() { Value = Name } },
            };
            await using (var reader = await ask.ExecuteReaderAsync(ct))
            {
                await reader.ReadAsync(ct);
                if (!string.Equals(reader.GetString(0), home.Cluster, StringComparison.Ordinal))
                {
                    return false;
                }
                if (reader.GetBoolean(1))
                {
                    return Use(address);
                }
            }
            await using var create = new NpgsqlCommand($"create database {Name}", connection);
            await create.ExecuteNonQueryAsync(ct);
            return Use(address);
        }
        catch (Exception away) when (away is NpgsqlException || Outage.Is(away))
        {
            return false;
        }
    }

    private bool Use(NpgsqlConnectionStringBuilder address)
    {
        address.Database = Name;
        address.Remove(nameof(address.Pooling));
        ConnectionString = address.ConnectionString;
        return true;
    }

    /// <summary>Brings the server back within a second when it dies.</summary>
    private async Task SuperviseAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(SupervisionInterval, time, ct);
                if (await Postmaster.FindAsync(home.Cluster, ct) is not null)
                {
                    continue;
                }
                LogGone(home.Folder);
                using var turn = await TurnAsync(dataDirectory, time, ct);
                await EnsureRunningAsync(ct);
                LogBack(ServerId);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // The host lives on without its database and tries again: whoever needs it hears of it from his own call.
                LogNotBack(exception);
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "Making a database in {Folder} with PostgreSQL {Major}")]
    private partial void LogCreating(string folder, int major);

    [LoggerMessage(LogLevel.Warning, "PostgreSQL in {Folder} is gone; starting it again")]
    private partial void LogGone(string folder);

    [LoggerMessage(LogLevel.Information, "PostgreSQL is back (process {Process})")]
    private partial void LogBack(int process);

    [LoggerMessage(LogLevel.Error, "PostgreSQL could not be started again")]
    private partial void LogNotBack(Exception exception);

    [LoggerMessage(LogLevel.Warning, "PostgreSQL did not stop: {Complaint}")]
    private partial void LogStopFailed(string complaint);
}
