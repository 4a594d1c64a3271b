using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Host;
using Stoa.Platform;
using Stoa.Platform.Hosting;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Support;

/// <summary>
/// The real host, in this process, ready, on free ports of its own, with a database and a data directory that are deleted afterwards:
/// <c>await using var host = await HostUnderTest.StartAsync();</c>
/// </summary>
public sealed class HostUnderTest : IAsyncDisposable
{
    private const string Connection = "ConnectionStrings:Stoa";

    private readonly WebApplication app;
    private readonly string data;
    private readonly Func<Task> dropDatabase;

    private HostUnderTest(WebApplication app, string data, string database, Func<Task> dropDatabase)
    {
        (this.app, this.data, this.dropDatabase, ConnectionString) = (app, data, dropDatabase, database);
        var listeners = app.Services.GetRequiredService<Listeners>();
        Client = new() { BaseAddress = new(listeners.Public[0]), Timeout = Patience.Long };
        Internal = new() { BaseAddress = new(listeners.Internal[0]), Timeout = Patience.Long };
    }

    /// <summary>Calls the public listener.</summary>
    public HttpClient Client { get; }

    /// <summary>Calls the internal listener.</summary>
    public HttpClient Internal { get; }

    /// <summary>For a second host on the same database, which must end before this one.</summary>
    public string ConnectionString { get; }

    public IServiceProvider Services => app.Services;

    /// <param name="settings">Stronger than everything else: <c>["Stoa:MaxBodyMb"] = "1"</c>.</param>
    /// <param name="add">Services that only this test needs.</param>
    /// <param name="map">Routes that only this test needs.</param>
    public static async Task<HostUnderTest> StartAsync(
        Dictionary<string, string?>? settings = null, Action<WebApplicationBuilder>? add = null, Action<WebApplication>? map = null,
        string environment = "Development", bool waitsUntilReady = true)
    {
        var folder = Directory.CreateTempSubdirectory("stoa-test-").FullName;
        var cluster = await TestContext.Current.GetFixture<TestCluster>()
            ?? throw new InvalidOperationException("There is no test cluster");
        var own = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Stoa:InternalUrls"] = "http://127.0.0.1:0",
            ["Stoa:DataDirectory"] = folder,
            ["Logging:LogLevel:Default"] = "Critical",
            // Models are asked what a test asks, and nothing of our own beside it.
            ["Gateway:DescribeAgents"] = "false",
        };
        foreach (var (key, value) in settings ?? [])
        {
            own[key] = value;
        }
        var dropDatabase = () => Task.CompletedTask;
        if (own.GetValueOrDefault(Connection) is not { Length: > 0 } database)
        {
            own[Connection] = database = await cluster.CreateDatabaseAsync();
            dropDatabase = () => cluster.DropDatabaseAsync(database);
        }
        var built = await App.BuildAsync(["--environment", environment], own, add, map);
        try
        {
            await App.PrepareAsync(built, TestContext.Current.CancellationToken);
            if (!own.ContainsKey("People:PasswordIterations"))
            {
                // Passwords of tests need not withstand anybody. So few are refused in settings.
                built.Services.GetRequiredService<IOptions<PersonOptions>>().Value.PasswordIterations = 1_000;
            }
            await built.StartAsync(TestContext.Current.CancellationToken);
            if (waitsUntilReady)
            {
                await built.Services.GetRequiredService<Readiness>().WhenReady(TestContext.Current.CancellationToken);
            }
            return new(built, folder, database, dropDatabase);
        }
        catch
        {
            await built.DisposeAsync();
            throw;
        }
    }

    internal static IEnumerable<KeyValuePair<string, string?>> ProviderSettings(string name, string kind, ScriptedProvider provider) =>
        HostProcess.ProviderSettings(name, kind, provider)
            .Select(setting => new KeyValuePair<string, string?>(setting.Key.Replace("__", ":", StringComparison.Ordinal), setting.Value));

    /// <summary>Stops as on SIGTERM; ends when the host has drained.</summary>
    public async Task StopAsync()
    {
        app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await app.StopAsync(CancellationToken.None);
    }

    /// <summary>
    /// Until no job runs or is due: what a request set going in the background has happened. Later jobs stay where they are.
    /// </summary>
    public Task RunJobsAsync() => Patience.UntilAsync(async () => await DueJobsAsync() == 0, () => "Jobs are still at work");

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Internal.Dispose();
        await StopAsync();
        await app.DisposeAsync();
        await dropDatabase();
        Directory.Delete(data, recursive: true);
    }

    private async Task<long> DueJobsAsync()
    {
        await using var command = Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("""
            select count(*) from platform.jobs where state = 'running' or (state = 'available' and run_at <= now())
            """);
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}

/// <summary>One host for the tests of a class that only ask it (<c>IClassFixture&lt;SharedHost&gt;</c>).</summary>
public sealed class SharedHost : IAsyncLifetime
{
    public HostUnderTest Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await HostUnderTest.StartAsync();

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
