using System.Collections.Concurrent;
using Npgsql;

namespace Stoa.Gateway.Auth;

/// <summary>
/// Which organization a token means. Ours are called by their ids; another system that signs tokens with our secret may call its own as it
/// likes, and each gets an organization here with its first token. Remembered, since the answer never changes.
/// </summary>
internal sealed class OrganizationNames(NpgsqlDataSource source, TimeProvider time)
{
    private const int MaxLength = 200;

    private readonly ConcurrentDictionary<string, Guid> known = new(StringComparer.Ordinal);

    /// <summary>Null for an id that none can have.</summary>
    /// <param name="orgId">As the token says it.</param>
    /// <param name="name">What a new organization is called.</param>
    public async ValueTask<Guid?> FindAsync(string orgId, string? name, CancellationToken ct)
    {
        if (known.TryGetValue(orgId, out var id))
        {
            return id;
        }
        if (orgId.Length > MaxLength || orgId.Any(char.IsControl))
        {
            return null;
        }
        var found = await ReadAsync(orgId, ct) ?? await AddAsync(orgId, name, ct);
        known[orgId] = found;
        return found;
    }

    private async Task<Guid?> ReadAsync(string orgId, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select id from platform.organizations where id = $1
            union all
            select organization_id from gateway.organization_names where org_id = $2
            """);
        command.Parameters.Add(new() { Value = Guid.TryParse(orgId, out var id) ? id : Guid.Empty });
        command.Parameters.Add(new() { Value = orgId });
        return (Guid?)await command.ExecuteScalarAsync(ct);
    }

    private async Task<Guid> AddAsync(string orgId, string? name, CancellationToken ct)
    {
        // One statement: of two first tokens at once one makes the organization, the other finds it.
        await using var command = source.CreateCommand("""
            with made as (
              insert into platform.organizations (id, slug, name, created_at) values ($1, $2, $3, $4) returning id
            ), noted as (
              insert into platform.audit (id, at, actor, act, subject, organization_id)
              select $5, $4, 'gtwy', 'organization.create', 'organization:' || id, id from made
            )
            insert into gateway.organization_names (org_id, organization_id) select $6, id from made
            """);
        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        command.Parameters.Add(new() { Value = id });
        // Nobody can have taken a name that nobody could guess.
        command.Parameters.Add(new() { Value = $"gtwy-{HexId.Create(time)}" });
        command.Parameters.Add(new() { Value = NameOf(name) ?? orgId });
        command.Parameters.Add(new() { Value = now });
        command.Parameters.Add(new() { Value = Guid.CreateVersion7(now) });
        command.Parameters.Add(new() { Value = orgId });
        try
        {
            await command.ExecuteNonQueryAsync(ct);
            return id;
        }
        catch (PostgresException other) when (other.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return (await ReadAsync(orgId, ct))!.Value;
        }
    }

    /// <summary>Null for one that says nothing or cannot be kept; one that is too long is cut, but not through a character.</summary>
    private static string? NameOf(string? name) => string.IsNullOrWhiteSpace(name) || name.Contains('\0', StringComparison.Ordinal) ? null
        : name.Length <= MaxLength ? name
        : name[..(char.IsHighSurrogate(name[MaxLength - 1]) ? MaxLength - 1 : MaxLength)];
}
