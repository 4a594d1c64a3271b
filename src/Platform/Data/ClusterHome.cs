using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Stoa.Platform.Data;

/// <summary>Where a private cluster lives and who owns it: one closed folder with <c>cluster/</c>, log and socket.</summary>
internal sealed class ClusterHome
{
    private const string OutsideRoot = "/var/lib/stoa";

    // sun_path holds 104 bytes on macOS and 108 on Linux, the final NUL included.
    private const int LongestSocketPath = 103;

    // The folder is the cluster's own, so the number need not be free on the machine.
    private const int Port = 5432;

    private const long LongestLog = 10 << 20;

    private ClusterHome(string folder, string id, ServerAccount account, string? remark)
    {
        Folder = folder;
        Account = account;
        Remark = remark;
        var runtime = account.Name is null ? Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") : null;
        ShortFolder = Path.Combine(Directory.Exists(runtime) && runtime.Length < 40 ? runtime : "/tmp", $"stoa-{id}");
    }

    public string Folder { get; }

    public ServerAccount Account { get; }

    /// <summary>Why the cluster is not under the data directory, if so.</summary>
    public string? Remark { get; }

    public string Cluster => Path.Combine(Folder, "cluster");

    public string Log => Path.Combine(Folder, "server.log");

    /// <summary>For the socket, when the path of our own folder is too long for one.</summary>
    private string ShortFolder { get; }

    public static async Task<ClusterHome> LocateAsync(string dataDirectory, CancellationToken ct)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dataDirectory)).AsSpan(0, 6));
        var inside = Path.Combine(dataDirectory, "postgres");
        var outside = Path.Combine(OutsideRoot, id);
        var account = await ServerAccount.ForAsync(inside, ct);
        if (account.Name is null || !Directory.Exists(Path.Combine(outside, "cluster")))
        {
            var isNew = !Directory.Exists(Path.Combine(inside, "cluster"));
            if (await account.OwnAsync(inside, ct))
            {
                return new(inside, id, account, remark: null);
            }
            if (account.Name is null || !isNew)
            {
                throw new DatabaseException(
                    $"The database in {inside} is out of reach of {account.Name ?? Environment.UserName}: " +
                    "start Stoa as the user who made it.");
            }
            Directory.Delete(inside);
        }
        Directory.CreateDirectory(OutsideRoot);
        var owner = await ServerAccount.ForAsync(outside, ct);
        return await owner.OwnAsync(outside, ct)
            ? new(outside, id, owner, $"user {owner.Name} cannot reach {dataDirectory}")
            : throw new DatabaseException($"User {owner.Name} can reach neither {inside} nor {outside}.");
    }

    /// <summary>The version that made the cluster, or null when there is none yet.</summary>
    public int? ReadMajor()
    {
        var file = Path.Combine(Cluster, "PG_VERSION");
        return File.Exists(file) ? int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Makes the cluster beside its place and moves it there when complete: half a cluster is never taken for one.</summary>
    public async Task CreateClusterAsync(PostgresBinaries binaries, string user, bool durable, CancellationToken ct)
    {
        var draft = Cluster + ".new";
        await DoAsync("rm", ["-rf", draft], ct);
        var locale = OperatingSystem.IsMacOS() ? "en_US.UTF-8" : "C.UTF-8";
        string[] arguments =
        [
            "-D", draft, "-U", user, "-E", "UTF8", "--locale", locale, "--auth-local=trust", "--auth-host=scram-sha-256",
            "--data-checksums", "--no-instructions",
        ];
        await DoAsync(binaries["initdb"], durable ? arguments : [.. arguments, "--no-sync"], ct);
        await DoAsync("tee", ["-a", Path.Combine(draft, "postgresql.conf")], """

            # Written anew at each start. What stands below this line wins.
            include 'stoa.conf'

            """, ct);
        await DoAsync("mv", [draft, Cluster], ct);
    }

    /// <summary>Makes all ready for a start: settings, locks and log.</summary>
    public async Task PrepareAsync(bool durable, CancellationToken ct)
    {
        var socketFolder = await SocketFolderAsync(ct);
        await Postmaster.RemoveMisleadingLocksAsync(Cluster, socketFolder, Port, ct);
        if (new FileInfo(Log) is { Exists: true, Length: > LongestLog })
        {
            await DoAsync("mv", ["-f", Log, Log + ".1"], ct);
        }
        var text = $"""
            listen_addresses = ''
            unix_socket_directories = '{socketFolder.Replace("'", "''", StringComparison.Ordinal)}'
            unix_socket_permissions = 0700
            port = {Port.ToString(CultureInfo.InvariantCulture)}
            max_connections = {(durable ? "100" : "1000")}
            shared_buffers = 128MB
            max_wal_size = 1GB
            jit = off
            update_process_title = off
            timezone = 'UTC'
            log_timezone = 'UTC'
            log_min_messages = warning
            log_checkpoints = off
            fsync = {(durable ? "on" : "off")}
            synchronous_commit = {(durable ? "on" : "off")}
            full_page_writes = {(durable ? "on" : "off")}

            """;
        await DoAsync("tee", [Path.Combine(Cluster, "stoa.conf")], text, ct);
    }

    /// <summary>The last lines of the server's log: the reason of a failed start.</summary>
    public string ReadEndOfLog() =>
        File.Exists(Log) ? string.Join(" | ", File.ReadLines(Log).TakeLast(3)) : "the server wrote no log";

    /// <summary>Stops the server, and takes away what was outside the folder.</summary>
    public async Task<Command.Outcome> StopAsync(PostgresBinaries binaries, TimeProvider time, CancellationToken ct)
    {
        var server = await Postmaster.FindAsync(Cluster, ct);
        var outcome = await Account.RunAsync(binaries["pg_ctl"], ["stop", "-D", Cluster, "-m", "fast", "-w", "-t", "60", "-s"], ct);
        if (outcome.Succeeded && server is not null)
        {
            await server.LeaveAsync(Cluster, time, ct);
        }
        if (Directory.Exists(ShortFolder))
        {
            await Account.RunAsync("rmdir", [ShortFolder], ct);
        }
        return outcome;
    }

    private async Task<string> SocketFolderAsync(CancellationToken ct)
    {
        // A comma separates hosts in a connection string and folders in PostgreSQL's setting.
        var socket = Path.Combine(Folder, $".s.PGSQL.{Port}");
        if (Encoding.UTF8.GetByteCount(socket) <= LongestSocketPath && Folder.AsSpan().IndexOfAny(',', '"') < 0)
        {
            return Folder;
        }
        await Account.RunAsync("mkdir", ["-m", "700", ShortFolder], ct);
        var owned = await Account.RunAsync("test", ["-O", ShortFolder], ct);
        return owned.Succeeded && new DirectoryInfo(ShortFolder).LinkTarget is null
            ? ShortFolder
            : throw new DatabaseException($"{ShortFolder} is needed for a socket and belongs to somebody else.");
    }

    private Task DoAsync(string program, IEnumerable<string> arguments, CancellationToken ct) => DoAsync(program, arguments, "", ct);

    private async Task DoAsync(string program, IEnumerable<string> arguments, string input, CancellationToken ct)
    {
        var outcome = await Account.RunAsync(program, arguments, input, ct);
        if (!outcome.Succeeded)
        {
            throw new DatabaseException($"{Path.GetFileName(program)} failed in {Folder}: {outcome.Complaint}");
        }
    }
}
