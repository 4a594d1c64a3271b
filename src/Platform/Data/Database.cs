using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Stoa.Platform.Data;

/// <summary>The one database of the host: the given one (<c>ConnectionStrings:Stoa</c>), or a private cluster.</summary>
public sealed class Database : IAsyncDisposable
{
    // Two hosts and an operator fit into the private cluster's 100 connections.
    private const int PrivatePoolSize = 40;

    private readonly PrivateCluster? cluster;

    private Database(NpgsqlDataSource source, string where, PrivateCluster? cluster)
    {
        Source = source;
        Where = where;
        this.cluster = cluster;
    }

    public NpgsqlDataSource Source { get; }

    public bool IsPrivate => cluster is not null;

    /// <summary>For people: a folder, or host, port and name. Never holds a password.</summary>
    public string Where { get; }

    /// <summary>
    /// Starts or joins the private cluster, or takes the given address without connecting: a server that is away does not keep
    /// the host from starting.
    /// </summary>
    /// <exception cref="DatabaseException">The setting is wrong, or the private cluster cannot be started.</exception>
    public static async Task<Database> OpenAsync(
        IConfiguration configuration, string dataDirectory, ILogger logger, TimeProvider time, CancellationToken ct)
    {
        if (configuration.GetConnectionString("Stoa") is { Length: > 0 } given)
        {
            var address = Parse(given);
            return new(NpgsqlDataSource.Create(address), $"{address.Host}:{address.Port}/{address.Database}", cluster: null);
        }
        var cluster = await PrivateCluster.StartAsync(dataDirectory, configuration["Stoa:PostgresBin"], logger, time, ct);
        var own = new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { MaxPoolSize = PrivatePoolSize, ApplicationName = "stoa" };
        return new(NpgsqlDataSource.Create(own), cluster.Where, cluster);
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        if (cluster is not null)
        {
            await cluster.DisposeAsync();
        }
    }

    private static NpgsqlConnectionStringBuilder Parse(string given)
    {
        try
        {
            var address = new NpgsqlConnectionStringBuilder(given);
            address.ApplicationName ??= "stoa";
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
