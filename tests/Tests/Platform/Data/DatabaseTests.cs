using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform;
using Stoa.Platform.Data;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Data;

public sealed class DatabaseTests(TestCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_an_address_it_starts_its_own_and_stops_it()
    {
        var folder = await cluster.NewFolderAsync();
        string address;
        await using (var database = await OpenAsync(address: null, folder))
        {
            Assert.True(database.IsPrivate);
            Assert.StartsWith(folder, database.Where, StringComparison.Ordinal);
            await using var command = database.Source.CreateCommand("select current_database()");
            Assert.Equal("stoa", await command.ExecuteScalarAsync(Ct));
            address = database.Source.ConnectionString;
        }

        await using var gone = new NpgsqlConnection(address);
        await Assert.ThrowsAsync<NpgsqlException>(() => gone.OpenAsync(Ct));
    }

    [Fact]
    public async Task An_address_is_named_without_its_password_and_not_connected_to()
    {
        await using var database = await OpenAsync("Host=127.0.0.1;Port=1;Database=shop;Username=me;Password=hidden");

        Assert.False(database.IsPrivate);
        Assert.Equal("127.0.0.1:1/shop", database.Where);
    }

    [Theory]
    [InlineData("Password=hidden")]
    [InlineData("Host=x;Port=hidden")]
    [InlineData("hidden")]
    public async Task A_wrong_address_is_refused_without_quoting_it(string address)
    {
        var error = await Assert.ThrowsAsync<DatabaseException>(() => OpenAsync(address));

        Assert.StartsWith("ConnectionStrings:Stoa", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_starts_while_the_server_is_away_and_is_ready_when_it_is_there()
    {
        var folder = await cluster.NewFolderAsync();
        // Nothing listens in this folder until the cluster is started there.
        await using var database = await OpenAsync($"Host={folder}/postgres;Username=stoa;Database=stoa");
        using var host = NewHost(database, new Migrations("shop", [new(1, "0001_notes", "create table shop.notes (id integer);")]));
        await host.StartAsync(Ct);
        var readiness = host.Services.GetRequiredService<DatabaseReadiness>();
        Assert.False(readiness.IsReady);
        Assert.NotNull(readiness.Problem);

        await using var server = await PrivateCluster.StartAsync(folder, binFolder: null, NullLogger.Instance, TimeProvider.System, Ct);
        await readiness.WhenReady(Ct);

        Assert.True(readiness.IsReady);
        await using var command = database.Source.CreateCommand("select count(*) from shop.notes");
        Assert.Equal(0L, await command.ExecuteScalarAsync(Ct));
        await host.StopAsync(Ct);
    }

    [Fact]
    public async Task A_database_that_does_not_fit_the_code_stops_the_host()
    {
        var address = await cluster.CreateEmptyDatabaseAsync();
        await using var database = await OpenAsync(address);
        var file = new Migration(1, "0001_notes", "create table shop.notes (id integer);");
        await new Migrator(database.Source, [new("shop", [file])], NullLogger<Migrator>.Instance).MigrateAsync(Ct);
        using var host = NewHost(database, new Migrations("shop", [file with { Sql = "select 1;" }]));

        await host.StartAsync(Ct);
        try
        {
            await host.WaitForShutdownAsync(Ct);
            Assert.Equal(1, Environment.ExitCode);
        }
        finally
        {
            Environment.ExitCode = 0;
        }

        var readiness = host.Services.GetRequiredService<DatabaseReadiness>();
        Assert.False(readiness.IsReady);
        Assert.Contains("shop/0001_notes was changed", readiness.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_keeps_a_host_waiting_not_from_stopping()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;
        await using var database = await OpenAsync($"Host=127.0.0.1;Port={port};Username=me;Database=shop");
        using var host = NewHost(database);

        await host.StartAsync(Ct);
        await host.StopAsync(Ct);

        Assert.False(host.Services.GetRequiredService<DatabaseReadiness>().IsReady);
    }

    private static async Task<Database> OpenAsync(string? address, string folder = "unused")
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:Stoa", address)]).Build();
        var database = new Database(
            configuration, Options.Create(new StoaOptions { DataDirectory = folder }), TimeProvider.System, NullLogger<Database>.Instance);
        await database.OpenAsync(Ct);
        return database;
    }

    private static IHost NewHost(Database database, params Migrations[] modules)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddDatabase();
        builder.Services.AddSingleton(database);
        foreach (var module in modules)
        {
            builder.Services.AddSingleton(module);
        }
        return builder.Build();
    }
}
