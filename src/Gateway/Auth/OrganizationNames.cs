using System.Collections.Concurrent;
using Npgsql;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Auth;

/// <summary>
/// Which organization of ours a caller's <c>org_id</c> is. Keys and sessions name it by its own id; a token that another system signed with
/// the shared secret may name one by an id of its own, which becomes an organization when it is first seen.
/// </summary>
internal sealed class OrganizationNames(NpgsqlDataSource source, TimeProvider time)
{
    private const int MaxLength = 128;
    private const int MaxRemembered = 100_000;

    // What a name means never changes.
    private readonly ConcurrentDictionary<string, Guid> known = new(StringComparer.Ordinal);

    public ValueTask<Guid> IdOfAsync(GtwyCaller caller, CancellationToken ct) =>
        caller.Key is { } key ? ValueTask.FromResult(key.OrganizationId)
        : known.TryGetValue(caller.OrgId, out var id) ? ValueTask.FromResult(id)
        : new(ReadAsync(caller, ct));

    private async Task<Guid> ReadAsync(GtwyCaller caller, CancellationToken ct)
    {
        if (caller.OrgId.Length > MaxLength || caller.OrgId.Contains('\0', StringComparison.Ordinal))
        {
            throw Failure.Forbidden("You don't have access");
        }
        var found = await FindAsync(caller.OrgId, ct) ?? await AddAsync(caller, ct);
        if (known.Count < MaxRemembered)
        {
            known[caller.OrgId] = found;
        }
        return found;
    }

    private async Task<Guid?> FindAsync(string name, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select organization_id from gateway.organization_names where org_id = $1
            union all select id from platform.organizations where id = $2 limit 1
            """);
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = Guid.TryParse(name, out var id) ? id : Guid.Empty });
        return await command.ExecuteScalarAsync(ct) as Guid?;
    }

    private async Task<Guid> AddAsync(GtwyCaller caller, CancellationToken ct)
    {
        var id = Guid.CreateVersion7(time.GetUtcNow());
        await using var command = source.CreateCommand("""
            with made as (
              insert into platform.organizations (id, slug, name) select $1, 'org-' || replace($1::text, '-', ''), $3
              where not exists (select from gateway.organization_names where org_id = $2) returning id)
            insert into gateway.organization_names (org_id, organization_id) select $2, id from made on conflict do nothing
            """);
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = caller.OrgId });
        command.Parameters.Add(new() { Value = caller.OrgName?.Replace("\0", "", StringComparison.Ordinal) is { Length: > 0 } name ? name[..Math.Min(name.Length, 100)] : caller.OrgId });
        await command.ExecuteNonQueryAsync(ct);
        // Whoever was first has named it; an organization that nobody names is left behind by the other.
        return await FindAsync(caller.OrgId, ct) ?? throw new InvalidOperationException("The organization was not kept");
    }
}
