using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>A key just made. The token is shown this once; nobody can read it later.</summary>
public sealed record NewKey(KeyRow Row, string Token);

/// <summary>
/// Acts on keys. Each is one statement with its audit row in it, so neither is there without the other; every node learns of it by the
/// notification that the table's trigger sends on commit, and the one that acts before it answers.
/// </summary>
public sealed class KeyStore(NpgsqlDataSource source, TimeProvider time, KeyRing? ring = null)
{
    public async Task<NewKey> CreateAsync(Guid organizationId, KeyTerms terms, string actor, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return await KnownAsync(await CreateAsync(connection, organizationId, terms, actor, ct), ct);
    }

    private async Task<NewKey> KnownAsync(NewKey made, CancellationToken ct)
    {
        if (ring is not null && (made.Row.ExpiresAt is not { } end || end > time.GetUtcNow()))
        {
            await ring.FollowAsync(made.Row.Prefix, isLive: true, ct);
        }
        return made;
    }

    /// <summary>
    /// In the transaction that the connection is in, if there is one: the key is there with what else it does, or not at all.
    /// </summary>
    internal async Task<NewKey> CreateAsync(
        NpgsqlConnection connection, Guid organizationId, KeyTerms terms, string actor, CancellationToken ct)
    {
        var (token, prefix) = KeyToken.Create();
        await using var command = new NpgsqlCommand($"""
            with made as (
              insert into platform.api_keys (id, organization_id, name, prefix, secret_hash, is_admin, models, providers,
                requests_per_minute, tokens_per_minute, expires_at, created_at, principal_id)
              select @id, @organization, @name, @prefix, @hash, @admin, @models, @providers, @rpm, @tpm, @expires, @now, @principal
              where @principal is null or exists (
                select from platform.principals where id = @principal and organization_id = @organization and removed_at is null)
              returning *
            ), {Audit("key.create", "made", "jsonb_build_object('name', name, 'prefix', prefix, 'is_admin', is_admin)")}
            select {KeyRow.Columns} from made
            """, connection);
        command.Parameters.AddWithValue("id", Guid.CreateVersion7(time.GetUtcNow()));
        command.Parameters.AddWithValue("organization", organizationId);
        command.Parameters.AddWithValue("name", terms.Name);
        command.Parameters.AddWithValue("prefix", prefix);
        command.Parameters.AddWithValue("hash", KeyToken.HashOf(token));
        command.Parameters.AddWithValue("admin", terms.IsAdmin);
        AddNullable(command, "models", terms.Models?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        AddNullable(command, "providers", terms.Providers?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        AddNullable(command, "rpm", terms.RequestsPerMinute, NpgsqlDbType.Integer);
        AddNullable(command, "tpm", terms.TokensPerMinute, NpgsqlDbType.Integer);
        AddNullable(command, "principal", terms.PrincipalId, NpgsqlDbType.Uuid);
        AddNullable(command, "expires", terms.ExpiresAt?.ToUniversalTime(), NpgsqlDbType.TimestampTz);
        AddAct(command, actor);
        return await ReadAsync(command, ct) is [var row] ? new(row, token) : throw Failure.Invalid("No such principal", "principal_id");
    }

    /// <summary>Oldest first, from the one after <paramref name="after"/> on.</summary>
    public async Task<List<KeyRow>> ListAsync(Guid organizationId, Guid? after, int limit, CancellationToken ct)
    {
        await using var command = source.CreateCommand($"""
            select {KeyRow.Columns} from platform.api_keys
            where organization_id = @organization and id > @after
            order by id
            limit @limit
            """);
        command.Parameters.AddWithValue("organization", organizationId);
        command.Parameters.AddWithValue("after", after ?? Guid.Empty);
        command.Parameters.AddWithValue("limit", limit);
        return await ReadAsync(command, ct);
    }

    public async Task<KeyRow?> FindAsync(Guid organizationId, Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            $"select {KeyRow.Columns} from platform.api_keys where id = @id and organization_id = @organization");
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("organization", organizationId);
        return (await ReadAsync(command, ct)).SingleOrDefault();
    }

    /// <summary>For an operator, who may name a key of any organization by id or prefix.</summary>
    public async Task<KeyRow?> FindAsync(string idOrPrefix, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            $"select {KeyRow.Columns} from platform.api_keys where id = @id or prefix = @prefix");
        command.Parameters.AddWithValue("id", Guid.TryParse(idOrPrefix, out var id) ? id : Guid.Empty);
        command.Parameters.AddWithValue("prefix", idOrPrefix);
        return (await ReadAsync(command, ct)).SingleOrDefault();
    }

    /// <summary>False when it was revoked before; fails when the organization has no such key.</summary>
    public async Task<bool> RevokeAsync(Guid organizationId, Guid id, string actor, CancellationToken ct)
    {
        await using var command = source.CreateCommand($"""
            with gone as (
              update platform.api_keys set revoked_at = @now
              where id = @id and organization_id = @organization and revoked_at is null
              returning *
            ), {Audit("key.revoke", "gone", "jsonb_build_object('name', name, 'prefix', prefix)")}
            select {KeyRow.Columns} from gone
            """);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("organization", organizationId);
        AddAct(command, actor);
        if (await ReadAsync(command, ct) is [var gone])
        {
            await (ring?.FollowAsync(gone.Prefix, isLive: false, ct) ?? Task.CompletedTask);
            return true;
        }
        return await FindAsync(organizationId, id, ct) is null ? throw Failure.NotFound("Key") : false;
    }

    /// <summary>
    /// A new key on the same terms and with the same lifetime; the old one works until the overlap is over. Of several that try at the
    /// same time, one succeeds.
    /// </summary>
    public async Task<NewKey> RotateAsync(Guid organizationId, Guid id, TimeSpan overlap, string actor, CancellationToken ct)
    {
        var (token, prefix) = KeyToken.Create();
        await using var command = source.CreateCommand($"""
            with old as (
              update platform.api_keys set replaced_by = @new_id, expires_at = least(expires_at, @overlap_end)
              where id = @id and organization_id = @organization and revoked_at is null and replaced_by is null
                and (expires_at is null or expires_at > @now)
              returning *
            ), terms as (
              -- The row as it was before this statement: its expiry tells the lifetime.
              select old.id as old_id, @now + (before.expires_at - before.created_at) as new_end
              from old join platform.api_keys before on before.id = old.id
            ), made as (
              insert into platform.api_keys (id, organization_id, name, prefix, secret_hash, is_admin, models, providers,
                requests_per_minute, tokens_per_minute, expires_at, created_at, principal_id)
              select @new_id, organization_id, name, @prefix, @hash, is_admin, models, providers,
                requests_per_minute, tokens_per_minute, new_end, @now, principal_id
              from old join terms on old_id = old.id
              returning *
            ), {Audit("key.rotate", "old", "jsonb_build_object('replaced_by', replaced_by, 'works_until', expires_at)")}
            select {KeyRow.Columns} from made
            """);
        var now = time.GetUtcNow();
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("organization", organizationId);
        command.Parameters.AddWithValue("new_id", Guid.CreateVersion7(now));
        command.Parameters.AddWithValue("prefix", prefix);
        command.Parameters.AddWithValue("hash", KeyToken.HashOf(token));
        command.Parameters.AddWithValue("overlap_end", now + overlap);
        AddAct(command, actor);
        if (await ReadAsync(command, ct) is [var row])
        {
            return await KnownAsync(new(row, token), ct);
        }
        throw await FindAsync(organizationId, id, ct) is null
            ? Failure.NotFound("Key")
            : new Failure(FailureKind.Conflict, "key_not_live", "The key is revoked, expired or already rotated");
    }

    public async Task<Organization?> FindOrganizationAsync(string slug, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select id, slug, name from platform.organizations where slug = @slug");
        command.Parameters.AddWithValue("slug", slug);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? new(row.GetGuid(0), row.GetString(1), row.GetString(2)) : null;
    }

    /// <summary>The organization of this slug, made when there is none.</summary>
    public async Task<Organization> EnsureOrganizationAsync(string slug, string actor, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            with made as (
              insert into platform.organizations (id, slug, name, created_at) values (@id, @slug, @slug, @now)
              on conflict (slug) do nothing
              returning id
            )
            insert into platform.audit (id, at, actor, act, subject, organization_id)
            select @act_id, @now, @actor, 'organization.create', 'organization:' || id, id from made
            """);
        command.Parameters.AddWithValue("id", Guid.CreateVersion7(time.GetUtcNow()));
        command.Parameters.AddWithValue("slug", slug);
        AddAct(command, actor);
        try
        {
            await command.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.CheckViolation)
        {
            throw Failure.Invalid("An organization is called by lower-case letters, digits and hyphens", "organization");
        }
        return (await FindOrganizationAsync(slug, ct))!;
    }

    private static string Audit(string act, string rows, string details) => $"""
        noted as (
          insert into platform.audit (id, at, actor, act, subject, organization_id, details)
          select @act_id, @now, @actor, '{act}', 'key:' || id, organization_id, {details} from {rows}
        )
        """;

    private void AddAct(NpgsqlCommand command, string actor)
    {
        var now = time.GetUtcNow();
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("act_id", Guid.CreateVersion7(now));
        command.Parameters.AddWithValue("actor", actor);
    }

    private static void AddNullable(NpgsqlCommand command, string name, object? value, NpgsqlDbType type) =>
        command.Parameters.Add(new(name, type) { Value = value ?? DBNull.Value });

    private static async Task<List<KeyRow>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var rows = new List<KeyRow>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            rows.Add(KeyRow.Read(reader));
        }
        return rows;
    }
}
