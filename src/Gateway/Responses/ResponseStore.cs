using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Responses;

/// <summary>Responses in the database, each organization's apart, for thirty days.</summary>
internal sealed class ResponseStore(NpgsqlDataSource source, JobQueue jobs, IDataProtectionProvider protection, TimeProvider time)
{
    public static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    private readonly IDataProtector seal = protection.CreateProtector("stoa.gateway.responses");

    /// <summary>Committed when it returns.</summary>
    public async Task AddAsync(StoredResponse response, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var insert = Insert(connection, response, null, null, null, null);
        await insert.ExecuteNonQueryAsync(ct);
    }

    /// <summary>One that a job will make: both are committed when it returns.</summary>
    /// <param name="headers">What the client asks of the Gateway itself; kept sealed, and only until the response is made.</param>
    public async Task AddAsync(
        StoredResponse response, ReadOnlyMemory<byte> request,
        IReadOnlyDictionary<string, string> headers, ApiKey key, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var job = await jobs.EnqueueAsync(
            connection, new MakeResponse(response.OrganizationId, response.Id),
            new() { Owner = new(response.OrganizationId, KeyId: key.Id, CreatedBy: $"key:{key.Id}") }, ct);
        await using var insert = Insert(
            connection, response, request,
            headers.Count == 0 ? null
            : seal.Protect(JsonSerializer.SerializeToUtf8Bytes(headers, GatewayJson.Default.IReadOnlyDictionaryStringString)), key,
            job.Id);
        await insert.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
        jobs.Wake();
    }

    public async Task<StoredResponse?> FindAsync(Guid organizationId, string id, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select status, provider, is_upstream, response, input from gateway.responses
            where organization_id = $1 and id = $2 and expires_at > $3
            """);
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = time.GetUtcNow() });
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await rows.ReadAsync(ct)
            ? new(
                organizationId, id, rows.GetString(0), rows.GetString(1), rows.GetBoolean(2),
                rows.GetFieldValue<byte[]>(3), rows.GetFieldValue<byte[]>(4))
            : null;
    }

    public async Task<bool> DeleteAsync(Guid organizationId, string id, CancellationToken ct)
    {
        await using var command = source.CreateCommand("delete from gateway.responses where organization_id = $1 and id = $2");
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = id });
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>Null when it is finished, or gone.</summary>
    public async Task<ResponseTask?> BeginAsync(MakeResponse job, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            update gateway.responses set status = 'in_progress'
            where organization_id = $1 and id = $2 and status in ('queued', 'in_progress')
            returning response, request, key_id, key_prefix, wishes
            """);
        command.Parameters.Add(new() { Value = job.OrganizationId });
        command.Parameters.Add(new() { Value = job.ResponseId });
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await rows.ReadAsync(ct)
            ? new(rows.GetFieldValue<byte[]>(0), rows.GetFieldValue<byte[]>(1), rows.GetGuid(2),
                rows.GetString(3), Open(rows.IsDBNull(4) ? null : rows.GetFieldValue<byte[]>(4)))
            : null;
    }

    private IReadOnlyDictionary<string, string>? Open(byte[]? wishes)
    {
        try
        {
            return wishes is null ? new Dictionary<string, string>()
                : JsonSerializer.Deserialize(seal.Unprotect(wishes), GatewayJson.Default.IReadOnlyDictionaryStringString);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The end of one that is under way; nothing happens when it has ended. Returns the job that made it, to be stopped.</summary>
    public async Task<Guid?> EndAsync(Guid organizationId, string id, string status, ReadOnlyMemory<byte> response, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            update gateway.responses set status = $3, response = $4, request = null, wishes = null
            where organization_id = $1 and id = $2 and status in ('queued', 'in_progress')
            returning job_id
            """);
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = status });
        command.Parameters.Add(new() { Value = response });
        return await command.ExecuteScalarAsync(ct) as Guid?;
    }

    private NpgsqlCommand Insert(
        NpgsqlConnection connection, StoredResponse response, ReadOnlyMemory<byte>? request, byte[]? wishes, ApiKey? key, Guid? job)
    {
        var now = time.GetUtcNow();
        return new("""
            insert into gateway.responses
              (organization_id, id, status, provider, is_upstream, response, input, request, key_id, key_prefix, job_id, created_at,
                expires_at, wishes)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            """, connection)
        {
            Parameters =
            {
                new() { Value = response.OrganizationId },
                new() { Value = response.Id },
                new() { Value = response.Status },
                new() { Value = response.Provider },
                new() { Value = response.IsUpstream },
                new() { Value = response.Response },
                new() { Value = response.Input },
                new() { Value = (object?)request ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bytea },
                new() { Value = (object?)key?.Id ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid },
                new() { Value = (object?)key?.Prefix ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
                new() { Value = (object?)job ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid },
                new() { Value = now },
                new() { Value = now + Kept },
                new() { Value = (object?)wishes ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bytea },
            },
        };
    }
}
