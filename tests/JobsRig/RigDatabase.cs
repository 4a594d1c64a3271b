using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.JobsRig;

/// <summary>A private cluster with durable commits that also answers on a loopback address of its own, migrated.</summary>
internal sealed class RigDatabase : IAsyncDisposable
{
    private const string Password = "rig";

    private readonly PrivateCluster cluster;
    private readonly string folder;

    private RigDatabase(PrivateCluster cluster, string folder, string host)
    {
        this.cluster = cluster;
        this.folder = folder;
        Host = host;
        Source = NpgsqlDataSource.Create(Address(host, 5432, pool: 60));
    }

    public string Host { get; }

    public NpgsqlDataSource Source { get; }

    public static async Task<RigDatabase> StartAsync(IReadOnlyDictionary<string, string>? settings = null)
    {
        var folder = Directory.CreateTempSubdirectory("stoa-rig-db-");
        // The server's own user must reach its cluster when we are root.
        if (!OperatingSystem.IsWindows())
        {
            folder.UnixFileMode = (UnixFileMode)0b111_101_101;
        }
        var cluster = await PrivateCluster.StartAsync(
            folder.FullName, binFolder: null, durable: true, NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        // All of 127/8 is loopback: an address of our own keeps the usual port free for others.
        var host = $"127.{Random.Shared.Next(2, 250)}.{Random.Shared.Next(2, 250)}.{Random.Shared.Next(2, 250)}";
        await using (var inside = NpgsqlDataSource.Create(cluster.ConnectionString))
        {
            await ExecuteAsync(inside, $"alter user stoa password '{Password}'");
            await ExecuteAsync(inside, $"alter system set listen_addresses = '{host}'");
            foreach (var (name, value) in settings ?? new Dictionary<string, string>(StringComparer.Ordinal))
            {
                await ExecuteAsync(inside, $"alter system set {name} = '{value}'");
            }
        }
        var database = new RigDatabase(cluster, folder.FullName, host);
        await database.RestartAsync("INT");
        await database.MigrateAsync();
        return database;
    }

    public static string Address(string host, int port, int pool = 30) => new NpgsqlConnectionStringBuilder
    {
        Host = host, Port = port, Username = "stoa", Password = Password, Database = "stoa", SslMode = SslMode.Disable, MaxPoolSize = pool,
        Timeout = 5, CommandTimeout = 10, ApplicationName = "rig",
    }.ConnectionString;

    /// <summary>INT: as an operator would; QUIT: as a power failure would. The cluster's supervisor brings it back.</summary>
    public async Task RestartAsync(string signal)
    {
        var before = cluster.ServerId;
        await SignalAsync(signal, before);
        for (var attempt = 0; attempt < 600; attempt++)
        {
            try
            {
                if (cluster.ServerId != before)
                {
                    await ExecuteAsync("select 1");
                    return;
                }
            }
            catch (NpgsqlException)
            {
                // Not yet.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
        throw new InvalidOperationException("The database did not come back");
    }

    public Task ExecuteAsync(string sql) => ExecuteAsync(Source, sql);

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>
    /// Processor time of the server and its backends so far; the clock of a busy machine says little, this says what work costs.
    /// </summary>
    public TimeSpan CpuTime() => TimeSpan.FromSeconds(Directory.EnumerateDirectories("/proc")
        .Select(each => int.TryParse(Path.GetFileName(each), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
        .Where(id => id > 0).Sum(id => TicksOf(id) / 100.0));

    /// <summary>The first column of each row, as text.</summary>
    public async Task<List<string>> TextsAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        command.CommandTimeout = 60;
        await using var rows = await command.ExecuteReaderAsync();
        List<string> texts = [];
        while (await rows.ReadAsync())
        {
            texts.Add(rows.GetString(0));
        }
        return texts;
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await cluster.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    public static async Task SignalAsync(string signal, int process)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    private long TicksOf(int process)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
            var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
            return process == cluster.ServerId || int.Parse(fields[1], CultureInfo.InvariantCulture) == cluster.ServerId
                ? long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)
                : 0;
        }
        catch (IOException)
        {
            // It ended while we looked.
            return 0;
        }
    }

    private async Task MigrateAsync()
    {
        string[] modules = ["Platform", "Gateway", "Feedback", "Learning", "Assistants"];
        var migrations = modules.Select(module => Migrations.Of(module.ToLowerInvariant(), Assembly.Load($"Stoa.{module}")));
        await new Migrator(Source, migrations, NullLogger<Migrator>.Instance).MigrateAsync(CancellationToken.None);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 600;
        await command.ExecuteNonQueryAsync();
    }
}
