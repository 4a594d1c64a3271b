using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Data;

[UnsupportedOSPlatform("windows")]
public sealed class PrivateClusterTests(TestCluster tests)
{
    private const string FolderOfChild = "STOA_TEST_CLUSTER";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_written_is_there_after_a_stop_and_a_second_start()
    {
        var folder = await tests.NewFolderAsync();
        int first;
        await using (var cluster = await StartAsync(folder))
        {
            first = cluster.ServerId;
            await ExecuteAsync(cluster, "create table notes as select 'kept' as text");
        }
        Assert.False(IsRunning(first));

        await using var again = await StartAsync(folder);
        Assert.NotEqual(first, again.ServerId);
        Assert.Equal("kept", await ScalarAsync(again, "select text from notes"));
    }

    [Fact]
    public async Task It_is_durable_speaks_utf8_and_listens_on_its_own_socket_only()
    {
        await using var cluster = await StartAsync(await tests.NewFolderAsync(), durable: true);

        Assert.Equal("on on on", await ScalarAsync(cluster, """
            select concat_ws(' ', current_setting('fsync'), current_setting('synchronous_commit'), current_setting('data_checksums'))
            """));
        Assert.Equal("UTF8", await ScalarAsync(cluster, "show server_encoding"));
        Assert.Equal("", await ScalarAsync(cluster, "show listen_addresses"));
        var sockets = (string)await ScalarAsync(cluster, "show unix_socket_directories");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(sockets));
    }

    [Fact]
    public async Task Two_first_starts_at_once_share_one_server_and_the_last_host_stops_it()
    {
        var folder = await tests.NewFolderAsync();
        var both = await Task.WhenAll(StartAsync(folder), StartAsync(folder));
        var server = both[0].ServerId;
        Assert.Equal(server, both[1].ServerId);

        await both[0].DisposeAsync();
        Assert.True(IsRunning(server));
        Assert.Equal(1, await ScalarAsync(both[1], "select 1"));

        await both[1].DisposeAsync();
        Assert.False(IsRunning(server));
    }

    [Fact]
    public async Task A_killed_server_is_back_with_all_that_was_committed()
    {
        await using var cluster = await StartAsync(await tests.NewFolderAsync(), durable: true);
        var killed = cluster.ServerId;
        await ExecuteAsync(cluster, "create table notes as select 'kept' as text");

        Kill(killed);
        await Eventually(() => cluster.ServerId != killed);

        Assert.Equal("kept", await ScalarAsync(cluster, "select text from notes"));
    }

    [Fact]
    public async Task A_server_whose_host_was_killed_is_taken_over_and_stopped()
    {
        var folder = await tests.NewFolderAsync();
        using var host = StartChild(folder);
        await Eventually(() => File.Exists(Path.Combine(folder, "child")));
        var orphan = int.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "child"), Ct), CultureInfo.InvariantCulture);
        host.Kill();
        await host.WaitForExitAsync(Ct);
        Assert.True(IsRunning(orphan));

        var cluster = await StartAsync(folder);
        Assert.Equal(orphan, cluster.ServerId);
        await cluster.DisposeAsync();
        Assert.False(IsRunning(orphan));
    }

    [Fact]
    public async Task Lock_files_that_name_a_stranger_do_not_keep_it_from_starting()
    {
        var folder = await tests.NewFolderAsync();
        await using (await StartAsync(folder))
        {
        }
        // Our own process id: alive, and no server.
        var pidFile = Path.Combine(folder, "postgres", "cluster", "postmaster.pid");
        await File.WriteAllTextAsync(pidFile, $"{Environment.ProcessId}\n{folder}/postgres/cluster\n1\n5432\n/tmp\n\n1 1\nready\n", Ct);
        var socketLock = Path.Combine(folder, "postgres", ".s.PGSQL.5432.lock");
        await File.WriteAllTextAsync(socketLock, $"{Environment.ProcessId}\n{folder}\n1\n5432\n", Ct);

        await using var cluster = await StartAsync(folder);

        Assert.NotEqual(Environment.ProcessId, cluster.ServerId);
    }

    [Fact]
    public async Task Half_a_cluster_from_a_killed_first_start_is_thrown_away()
    {
        var folder = await tests.NewFolderAsync();
        await using (await StartAsync(folder))
        {
        }
        var home = Path.Combine(folder, "postgres");
        Directory.Move(Path.Combine(home, "cluster"), Path.Combine(home, "cluster.new"));

        await using var cluster = await StartAsync(folder);

        Assert.Equal(1, await ScalarAsync(cluster, "select 1"));
    }

    [Theory]
    [InlineData("a folder, with 'quotes'")]
    [InlineData("deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep/deep")]
    public async Task Any_data_directory_will_do(string below)
    {
        var cluster = await StartAsync(Path.Combine(await tests.NewFolderAsync(), below));
        var sockets = (string)await ScalarAsync(cluster, "show unix_socket_directories");
        Assert.Equal(1, await ScalarAsync(cluster, "select 1"));

        await cluster.DisposeAsync();
        Assert.False(Directory.Exists(sockets));
    }

    [Fact]
    public async Task Below_a_closed_folder_it_lives_outside_and_says_so()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root has to leave its own folders to another account.");
        var folder = await tests.NewFolderAsync();
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        await using (var cluster = await StartAsync(folder))
        {
            Assert.StartsWith("/var/lib/stoa/", cluster.Where, StringComparison.Ordinal);
            Assert.Contains(folder, cluster.Where, StringComparison.Ordinal);
            Assert.Equal(1, await ScalarAsync(cluster, "select 1"));
        }
        await PrivateCluster.RemoveAbandonedAsync(folder, TimeProvider.System, Ct);
    }

    [Fact]
    public async Task Without_binaries_the_error_says_what_to_do()
    {
        var folder = await tests.NewFolderAsync();

        var error = await Assert.ThrowsAsync<DatabaseException>(
            () => PrivateCluster.StartAsync(folder, binFolder: folder, NullLogger.Instance, TimeProvider.System, Ct));

        Assert.Contains("Stoa__PostgresBin", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    // Not a test of its own: the host that A_server_whose_host_was_killed_is_taken_over_and_stopped kills.
    [Fact(Explicit = true)]
    public async Task Child_that_holds_a_cluster_until_it_is_killed()
    {
        var folder = Environment.GetEnvironmentVariable(FolderOfChild);
        Assert.SkipWhen(folder is null, "Started by another test.");
        await using var cluster = await StartAsync(folder);
        var done = Path.Combine(folder, "child");
        await File.WriteAllTextAsync(done + ".new", cluster.ServerId.ToString(CultureInfo.InvariantCulture), Ct);
        File.Move(done + ".new", done);
        await Task.Delay(TimeSpan.FromMinutes(1), TimeProvider.System, Ct);
    }

    // Only those who kill the server need its promises; the others need not wait for the disk.
    private static Task<PrivateCluster> StartAsync(string folder, bool durable = false) =>
        PrivateCluster.StartAsync(folder, binFolder: null, durable, new OutputLogger(), TimeProvider.System, Ct);

    private static Process StartChild(string folder)
    {
        var method = $"{typeof(PrivateClusterTests).FullName}.{nameof(Child_that_holds_a_cluster_until_it_is_killed)}";
        var start = new ProcessStartInfo(
            Path.ChangeExtension(typeof(PrivateClusterTests).Assembly.Location, null), ["-method", method, "-explicit", "only"])
        {
            Environment = { [FolderOfChild] = folder },
        };
        return Process.Start(start)!;
    }

    private static bool IsRunning(int server) => Directory.Exists($"/proc/{server}") &&
        File.ReadAllText($"/proc/{server}/cmdline").Contains("postgres", StringComparison.Ordinal);

    private static void Kill(int server)
    {
        using var process = Process.GetProcessById(server);
        process.Kill();
    }

    private static async Task Eventually(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }
    }

    private static async Task ExecuteAsync(PrivateCluster cluster, string sql) => await ScalarAsync(cluster, sql);

    private static async Task<object> ScalarAsync(PrivateCluster cluster, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return (await command.ExecuteScalarAsync(Ct))!;
    }

    /// <summary>What a cluster complains of stands beside the test that failed.</summary>
    private sealed class OutputLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            TestContext.Current.TestOutputHelper?.WriteLine($"{formatter(state, exception)} {exception}");
    }
}
