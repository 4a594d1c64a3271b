using Microsoft.Extensions.Logging;
using Npgsql;

namespace Stoa.Platform.Data;

/// <summary>
/// Brings the database to the state that the code expects, forward only: each file once, in its own transaction, one host at a time.
/// </summary>
public sealed partial class Migrator
{
    // Any number will do; it must never change, or two versions would migrate at once.
    private const long LockKey = 0x53746F61;

    private const int OldestServer = 15;

    private readonly NpgsqlDataSource source;
    private readonly IReadOnlyList<Migrations> modules;
    private readonly ILogger<Migrator> logger;

    internal Migrator(NpgsqlDataSource source, IEnumerable<Migrations> modules, ILogger<Migrator> logger)
    {
        this.source = source;
        this.modules = [.. modules];
        this.logger = logger;
    }

    /// <summary>Applies what is missing and returns it, as <c>schema/file</c>.</summary>
    /// <exception cref="DatabaseException">Code and database do not belong together, or a file failed. Nothing waits that out.</exception>
    public async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        if (connection.PostgreSqlVersion.Major < OldestServer)
        {
            throw new DatabaseException($"PostgreSQL {OldestServer} or newer is needed, this is {connection.PostgreSqlVersion}.");
        }
        List<string> applied = [];
        while (await ApplyNextAsync(connection, ct) is var (schema, file))
        {
            applied.Add($"{schema}/{file.Name}");
            LogApplied(schema, file.Name);
        }
        return applied;
    }

    /// <summary>
    /// Applies the first file that is missing. The lock belongs to its transaction, so it holds behind a pooler too; between two files
    /// another host may come first, and then there is less left to do.
    /// </summary>
    private async Task<(string Schema, Migration File)?> ApplyNextAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await ExecuteAsync(connection, $"select pg_advisory_xact_lock({LockKey})", ct);
        await ExecuteAsync(connection, """
            create schema if not exists platform;
            create table if not exists platform.migrations (
              schema text not null,
              number integer not null,
              name text not null,
              checksum text not null,
              applied_at timestamptz not null default now(),
              primary key (schema, number)
            );
            """, ct);
        var applied = await ReadAppliedAsync(connection, ct);
        var missing = modules.SelectMany(module => Missing(module, [.. applied[module.Schema]])).ToList();
        if (missing.Count > 0)
        {
            await ApplyAsync(connection, missing[0].Schema, missing[0].File, ct);
        }
        await transaction.CommitAsync(ct);
        return missing.Count > 0 ? missing[0] : null;
    }

    private static IEnumerable<(string Schema, Migration File)> Missing(Migrations module, List<Applied> applied)
    {
        for (var index = 0; index < module.Files.Count; index++)
        {
            var file = module.Files[index];
            if (file.Number != index + 1)
            {
                throw new DatabaseException(
                    $"{module.Schema}/{file.Name} should be number {index + 1}: the files of a module have no gap.");
            }
            if (index >= applied.Count)
            {
                continue;
            }
            if (applied[index].Number != file.Number)
            {
                throw new DatabaseException($"{module.Schema}/{file.Name} is missing in the database, but later files are there.");
            }
            if (!string.Equals(applied[index].Checksum, file.Checksum, StringComparison.Ordinal))
            {
                throw new DatabaseException(
                    $"{module.Schema}/{file.Name} was changed after it had been applied here (as {applied[index].Name}): " +
                    "put the file back as it was and add a new one.");
            }
        }
        return applied.Count <= module.Files.Count
            ? module.Files.Skip(applied.Count).Select(file => (module.Schema, file))
            : throw new DatabaseException(
                $"The database is newer than this version of Stoa: it has {module.Schema}/{applied[^1].Name}. Start the newer version.");
    }

    private static async Task<ILookup<string, Applied>> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select schema, number, name, checksum from platform.migrations order by schema, number", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<Applied>();
        while (await reader.ReadAsync(ct))
        {
            rows.Add(new(reader.GetString(0), reader.GetInt32(1), reader.GetString(2), reader.GetString(3)));
        }
        return rows.ToLookup(row => row.Schema, StringComparer.Ordinal);
    }

    private static async Task ApplyAsync(NpgsqlConnection connection, string schema, Migration file, CancellationToken ct)
    {
        try
        {
            await ExecuteAsync(connection, $"create schema if not exists \"{schema}\"", ct);
            await ExecuteAsync(connection, file.Sql, ct);
            await using var record = new NpgsqlCommand(
                "insert into platform.migrations (schema, number, name, checksum) values ($1, $2, $3, $4)", connection)
            {
                Parameters =
                {
                    new() { Value = schema }, new() { Value = file.Number }, new() { Value = file.Name }, new() { Value = file.Checksum },
                },
            };
            await record.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException exception) when (!Outage.Is(exception))
        {
            throw new DatabaseException($"{schema}/{file.Name} failed at {exception.Position}: {exception.MessageText}", exception);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        // A large table may take its time, and so may another host that migrates.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }

    [LoggerMessage(LogLevel.Information, "Applied {Schema}/{Name}")]
    private partial void LogApplied(string schema, string name);

    private sealed record Applied(string Schema, int Number, string Name, string Checksum);
}
