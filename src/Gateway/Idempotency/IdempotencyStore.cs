using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Idempotency;

/// <summary>Whose request it is, and what the client calls it.</summary>
internal sealed record IdempotencyKey(Guid OrganizationId, string Route, string Key);

/// <summary>What is known of a key: nobody used it (then it is claimed now), somebody is at it, or its answer.</summary>
/// <param name="BodyHash">Of the request that the key was used with.</param>
internal sealed record KnownAnswer(bool IsClaimed, byte[] BodyHash, int? Status, string? ContentType, byte[] Body);

/// <summary>Answers by idempotency key, in the database: all nodes know them.</summary>
internal sealed class IdempotencyStore(NpgsqlDataSource source, TimeProvider time)
{
    private static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    /// <summary>No call takes longer; a node that died over one frees its key then.</summary>
    private static readonly TimeSpan Claim = TimeSpan.FromMinutes(15);

    public async Task<KnownAnswer> FindOrClaimAsync(IdempotencyKey key, byte[] bodyHash, Guid claim, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var command = source.CreateCommand("""
            with claimed as (
              insert into gateway.idempotent_answers as known (organization_id, route, key, body_hash, claim, claimed_until, expires_at)
              values ($1, $2, $3, $4, $5, $6, $7)
              on conflict (organization_id, route, key) do update
                set body_hash = excluded.body_hash, claim = excluded.claim, claimed_until = excluded.claimed_until,
                    expires_at = excluded.expires_at, status = null, content_type = null, body = null
                where known.expires_at < $8 or (known.status is null and known.claimed_until < $8)
              returning 1
            )
            select true, null, null, null, null from claimed
            union all
            select false, body_hash, status, content_type, body from gateway.idempotent_answers
            where organization_id = $1 and route = $2 and key = $3 and not exists (select 1 from claimed)
            """);
        Identify(command, key);
        command.Parameters.Add(new() { Value = bodyHash });
        command.Parameters.Add(new() { Value = claim });
        command.Parameters.Add(new() { Value = now + Claim });
        command.Parameters.Add(new() { Value = now + Kept });
        command.Parameters.Add(new() { Value = now });
        await using var rows = await command.ExecuteReaderAsync(ct);
        if (!await rows.ReadAsync(ct))
        {
            // Claimed by another at this very moment.
            return new(false, bodyHash, null, null, []);
        }
        return rows.GetBoolean(0)
            ? new(true, bodyHash, null, null, [])
            : new(false, rows.GetFieldValue<byte[]>(1), rows.Int32OrNull(2),
                rows.StringOrNull(3), await rows.IsDBNullAsync(4, ct) ? [] : rows.GetFieldValue<byte[]>(4));
    }

    public async Task KeepAsync(
        IdempotencyKey key, Guid claim, int status, string? contentType, ReadOnlyMemory<byte> body, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            update gateway.idempotent_answers set status = $5, content_type = $6, body = $7
            where organization_id = $1 and route = $2 and key = $3 and claim = $4
            """);
        Identify(command, key);
        command.Parameters.Add(new() { Value = claim });
        command.Parameters.Add(new() { Value = status });
        command.Parameters.Add(new() { Value = (object?)contentType ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = body });
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The request may be made again.</summary>
    public async Task FreeAsync(IdempotencyKey key, Guid claim)
    {
        await using var command = source.CreateCommand(
            "delete from gateway.idempotent_answers where organization_id = $1 and route = $2 and key = $3 and claim = $4");
        Identify(command, key);
        command.Parameters.Add(new() { Value = claim });
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private static void Identify(NpgsqlCommand command, IdempotencyKey key)
    {
        command.Parameters.Add(new() { Value = key.OrganizationId });
        command.Parameters.Add(new() { Value = key.Route });
        command.Parameters.Add(new() { Value = key.Key });
    }
}
