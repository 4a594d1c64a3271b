using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Stoa.Platform.Data;

/// <summary>The one database of the host: the given one (<c>ConnectionStrings:Stoa</c>), or a private cluster.</summary>
public sealed class Database(
    IConfiguration configuration, IOptions<StoaOptions> options, TimeProvider time, ILogger<Database> logger) : IAsyncDisposable
{
    // Two hosts and an operator fit into the private cluster's 100 connections.
    private const int PrivatePoolSize = 40;

    private PrivateCluster? cluster;
    private NpgsqlDataSource? source;

    /// <summary>Connections to it. Only after <see cref="OpenAsync"/>.</summary>
    public NpgsqlDataSource Source => source ?? throw new InvalidOperationException("The database is not open yet");

    public bool IsPrivate => cluster is not null;

    /// <summary>For people: a folder, or host, port and name. Never holds a password.</summary>
    public string Where { get; private set; } = "not open";

    /// <summary>
    /// Starts or joins the private cluster, or takes the given address without connecting: a server that is away does not keep
    /// the host from starting.
    /// </summary>
    /// <exception cref="DatabaseException">The setting is wrong, or the private cluster cannot be started.</exception>
    public async Task OpenAsync(CancellationToken ct)
    {
        if (configuration.GetConnectionString("Stoa") is { Length: > 0 } given)
        {
            var address = Parse(given);
            source = NpgsqlDataSource.Create(address);
            Where = $"{address.Host}:{address.Port}/{address.Database}";
            return;
        }
        // Whatever we set on a connection ends with its transaction: to reset it each time it comes back would be seven statements for
        // nothing.
        cluster = await PrivateCluster.StartAsync(options.Value.DataDirectory, configuration["Stoa:PostgresBin"], logger, time, ct);
        source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(cluster.ConnectionString)
            {
                MaxPoolSize = PrivatePoolSize, ApplicationName = "stoa", NoResetOnClose = true,
            });
        Where = cluster.Where;
    }

    public async ValueTask DisposeAsync()
    {
        if (source is not null)
        {
            await source.DisposeAsync();
        }
        if (cluster is not null)
        {
            await cluster.DisposeAsync();
        }
    }

    /// <summary>
    /// What is wrong with the setting, as a rule that follows its name; null when an address can be read from it, or there is none.
    /// </summary>
    internal static string? RuleBroken(IConfiguration configuration)
    {
        if (configuration.GetConnectionString("Stoa") is not { Length: > 0 } given)
        {
            return null;
        }
        try
        {
            Parse(given);
            return null;
        }
        catch (DatabaseException)
        {
            return "must be a PostgreSQL connection string (Host=…;Database=…;Username=…)";
        }
    }

    private static NpgsqlConnectionStringBuilder Parse(string given)
    {
        try
        {
            var address = new NpgsqlConnectionStringBuilder(given);
            address.ApplicationName ??= "stoa";
            address.NoResetOnClose = true;
            return address.Host is null ? throw new DatabaseException("ConnectionStrings:Stoa names no Host.") : address;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            // The reason may quote the setting, which may hold a password.
            throw new DatabaseException(
                "ConnectionStrings:Stoa is not a PostgreSQL connection string (Host=…;Database=…;Username=…).");
        }
    }
}
