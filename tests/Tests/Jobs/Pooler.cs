using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

/// <summary>PgBouncer in transaction mode in front of a database: no two transactions of a client need meet the same session.</summary>
internal sealed class Pooler : IAsyncDisposable
{
    private static readonly string? Program = ((string[])["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]).FirstOrDefault(File.Exists);

    private readonly Process process;
    private readonly DirectoryInfo folder;

    private Pooler(Process process, DirectoryInfo folder, string connectionString) =>
        (this.process, this.folder, ConnectionString) = (process, folder, connectionString);

    public static bool IsInstalled => Program is not null;

    public string ConnectionString { get; }

    public static async Task<Pooler> StartAsync(string connectionString, CancellationToken ct)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        var folder = Directory.CreateTempSubdirectory("stoa-pooler-");
        // It does not run as root: another account reads this then.
        if (!OperatingSystem.IsWindows())
        {
            folder.UnixFileMode = (UnixFileMode)0b111_101_101;
        }
        var settings = Path.Combine(folder.FullName, "pgbouncer.ini");
        var port = FreePort.Next();
        // It takes no empty one.
        var password = string.IsNullOrEmpty(server.Password) ? "" : $" password='{server.Password}'";
        await File.WriteAllTextAsync(settings, $"""
            [databases]
            pooled = host={server.Host} port={server.Port} dbname={server.Database} user={server.Username}{password}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 8
            server_round_robin = 1
            ignore_startup_parameters = extra_float_digits
            """, ct);
        string[] account = Environment.IsPrivilegedProcess ? ["-u", "postgres"] : [];
        var process = Process.Start(new ProcessStartInfo(Program!, [.. account, settings])
        {
            UseShellExecute = false, RedirectStandardError = true,
        })!;
        var said = new ConcurrentQueue<string?>();
        process.ErrorDataReceived += (_, line) => said.Enqueue(line.Data);
        process.BeginErrorReadLine();
        var pooler = new Pooler(process, folder, new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1", Port = port, Database = "pooled",
            Username = server.Username, SslMode = SslMode.Disable, NoResetOnClose = true,
            MaxPoolSize = 20,
        }.ConnectionString);
        await pooler.WhenListeningAsync(port, said, ct);
        return pooler;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        folder.Delete(recursive: true);
    }

    private async Task WhenListeningAsync(int port, IEnumerable<string?> said, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port, ct);
                return;
            }
            catch (SocketException)
            {
                Assert.False(process.HasExited, string.Join('\n', said));
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, ct);
            }
        }
    }
}
