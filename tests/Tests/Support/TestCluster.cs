using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Stoa.Gateway.Usage;
using Stoa.Host;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

[assembly: AssemblyFixture(typeof(Stoa.Tests.Support.TestCluster))]

namespace Stoa.Tests.Support;

/// <summary>
/// One throw-away PostgreSQL per test run, started by the first test that asks for a database. Each database is a clone of one
/// migrated template. What a killed run left behind is removed by the next: its lock is then free.
/// </summary>
public sealed class TestCluster : IAsyncDisposable
{
    private const string Template = "stoa_template";

    private const string Memory = "/dev/shm";

    private static readonly string Root = Path.Combine(Place(), $"stoa-tests-{Environment.UserName}");

    private readonly string folder = Path.Combine(Root, NewName());
    private readonly Lazy<Task<FileLock>> claim;
    private readonly Lazy<Task<PrivateCluster>> cluster;
    private NpgsqlDataSource? administration;

    public TestCluster()
    {
        claim = new(ClaimAsync);
        cluster = new(StartAsync);
    }

    /// <summary>An empty folder for tests that need files or a cluster of their own; removed when the run ends.</summary>
    public async Task<string> NewFolderAsync()
    {
        await claim.Value;
        return Directory.CreateDirectory(Path.Combine(folder, NewName())).FullName;
    }

    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test_{Guid.CreateVersion7():n}";
        // Copied as files, without a log of each page: half the work, and nothing here must survive a crash.
        await ExecuteAsync($"create database {name} template {Template} strategy file_copy");
        return Address(await cluster.Value, name);
    }

    public async Task<string> CreateEmptyDatabaseAsync()
    {
        var name = $"test_{Guid.CreateVersion7():n}";
        await ExecuteAsync($"create database {name} strategy file_copy");
        return Address(await cluster.Value, name);
    }

    /// <summary>From now on the database answers nobody, as if its server were away.</summary>
    public async Task CloseDatabaseAsync(string connectionString)
    {
        var name = new NpgsqlConnectionStringBuilder(connectionString).Database;
        await ExecuteAsync($"alter database {name} with allow_connections false");
        await ExecuteAsync($"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
    }

    public Task DropDatabaseAsync(string connectionString) =>
        ExecuteAsync($"drop database {new NpgsqlConnectionStringBuilder(connectionString).Database} with (force)");

    public async ValueTask DisposeAsync()
    {
        if (cluster.IsValueCreated)
        {
            var started = await cluster.Value;
            await administration!.DisposeAsync();
            await started.DisposeAsync();
        }
        if (claim.IsValueCreated)
        {
            using var claimed = await claim.Value;
            await RemoveAsync(folder);
        }
    }

    /// <summary>
    /// In memory where there is plenty: each test's database is a thousand files, and making and deleting them costs a disk more than their
    /// tests.
    /// </summary>
    private static string Place() =>
        Directory.Exists(Memory) && new DriveInfo(Memory).AvailableFreeSpace > 8L << 30 ? Memory : Path.GetTempPath();

    private static string NewName() => Guid.CreateVersion7().ToString("n")[^12..];

    // A connection costs the server more than most of what a test asks through it.
    private static string Address(PrivateCluster cluster, string database) =>
        new NpgsqlConnectionStringBuilder(
            cluster.ConnectionString) { Database = database, MaxPoolSize = 6, Timeout = 60 }.ConnectionString;

    /// <summary>Makes the folder of this run. The lock in it shows other runs that it is in use.</summary>
    private async Task<FileLock> ClaimAsync()
    {
        Directory.CreateDirectory(Root);
        // Between making its folder and locking it, a run would look like a leftover to another.
        using var turn = await FileLock.ExclusiveAsync(Path.Combine(Root, "lock"), TimeProvider.System, CancellationToken.None);
        foreach (var leftover in Directory.EnumerateDirectories(Root))
        {
            try
            {
                using var abandoned = FileLock.TryExclusive(Path.Combine(leftover, "run.lock"));
                if (abandoned is not null)
                {
                    await RemoveAsync(leftover);
                }
            }
            catch (DirectoryNotFoundException)
            {
                // A run that ends beside us has just taken its own away.
            }
        }
        Directory.CreateDirectory(folder);
        return FileLock.TryExclusive(Path.Combine(folder, "run.lock"))!;
    }

    private static async Task RemoveAsync(string run)
    {
        foreach (var data in Directory.EnumerateDirectories(run).Where(data => File.Exists(Path.Combine(data, "hosts.lock"))))
        {
            await PrivateCluster.RemoveAbandonedAsync(data, TimeProvider.System, CancellationToken.None);
        }
        Directory.Delete(run, recursive: true);
    }

    private async Task<PrivateCluster> StartAsync()
    {
        var started = await PrivateCluster.StartAsync(
            await NewFolderAsync(), binFolder: null, durable: false, NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        administration = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(started.ConnectionString) { Database = "postgres", Timeout = 60, NoResetOnClose = true });
        await AdministerAsync($"create database {Template}");
        await FillAsync(Address(started, Template));
        return started;
    }

    /// <summary>
    /// The template: migrated, and with what every first start would make again, though nothing of it is seen before its time comes: the
    /// partitions of these months and the triggers of the schedules (the schedules themselves each host writes).
    /// </summary>
    private async Task FillAsync(string template)
    {
        await using var app = await App.BuildAsync([], new Dictionary<string, string?>
        {
            ["ConnectionStrings:Stoa"] = template,
            ["Stoa:DataDirectory"] = await NewFolderAsync(),
            ["Logging:LogLevel:Default"] = "Critical",
        });
        await App.PrepareAsync(app, CancellationToken.None);
        await app.Services.GetRequiredService<Migrator>().MigrateAsync(CancellationToken.None);
        await app.Services.GetRequiredService<UsageStore>().MakeMonthsAsync(CancellationToken.None);
        await using (var connection = await app.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync())
        {
            await JobMaintenance.MakeMonthsAsync(connection, TimeProvider.System.GetUtcNow(), CancellationToken.None);
        }
        await ActivatorUtilities.CreateInstance<Calendar>(app.Services).PlanAsync(CancellationToken.None);
    }

    private async Task ExecuteAsync(string sql)
    {
        await cluster.Value;
        await AdministerAsync(sql);
    }

    private async Task AdministerAsync(string sql)
    {
        await using var command = administration!.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
