using System.Collections.Concurrent;
using Npgsql;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Providers;
using Stoa.Platform.Data;

namespace Stoa.Gateway.ProviderKeys;

/// <summary>A key that an organization brought, opened.</summary>
internal sealed record StoredKey(string Id, string Secret);

/// <summary>
/// The keys that organizations brought, opened and in memory, for calls that meet a provider without a key of the operator's. Keys of
/// folders are not among them: they are for the agents of their folder.
/// </summary>
internal sealed class StoredKeys(NpgsqlDataSource source, KeySeal seal, ChangeFeed changes)
    : ChangeListener(changes, AgentConfigurations.Channel)
{
    private readonly ConcurrentDictionary<Guid, Dictionary<string, StoredKey[]>> organizations = new();
    private uint calls;

    /// <summary>A key of the organization for this kind of provider; several take turns. Null when it has none that may work.</summary>
    public StoredKey? Find(Guid organizationId, ProviderKind kind)
    {
        if (!organizations.TryGetValue(organizationId, out var keys) || keys.GetValueOrDefault(kind.Name) is not { } own)
        {
            return null;
        }
        return own.Length == 1 ? own[0] : own[Interlocked.Increment(ref calls) % (uint)own.Length];
    }

    public bool HasAny(Guid organizationId) => organizations.ContainsKey(organizationId);

    /// <summary>Of all organizations once the feed listens, and again of those that each change names.</summary>
    protected override async Task HearAsync(string? payload, CancellationToken ct)
    {
        var named = (payload ?? "").Split(',').Select(id => Guid.TryParse(id, out var organization) ? organization : Guid.Empty).ToArray();
        var isAll = named.Contains(Guid.Empty);
        var found = (await ReadAsync(isAll ? null : named, ct)).GroupBy(key => key.OrganizationId).ToDictionary(
            keys => keys.Key,
            keys => keys.GroupBy(key => key.Kind, StringComparer.Ordinal)
                .ToDictionary(own => own.Key, own => own.Select(key => key.Key).ToArray(), StringComparer.Ordinal));
        foreach (var (organization, keys) in found)
        {
            organizations[organization] = keys;
        }
        foreach (var organization in (isAll ? [.. organizations.Keys] : named).Where(organization => !found.ContainsKey(organization)))
        {
            organizations.TryRemove(organization, out _);
        }
    }

    private async Task<List<(Guid OrganizationId, string Kind, StoredKey Key)>> ReadAsync(Guid[]? only, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            """
            select organization_id, service, secret, id from gateway.provider_keys
            where ($1::uuid[] is null or organization_id = any($1)) and folder_id is null and status in ('working', 'limited')
            order by organization_id, service, id
            """);
        command.Parameters.Add(
            new() { Value = (object?)only ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Uuid });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var keys = new List<(Guid, string, StoredKey)>();
        while (await rows.ReadAsync(ct))
        {
            if (ProviderKind.Find(rows.GetString(1)) is { } kind && seal.Open(rows.GetFieldValue<byte[]>(2)) is { } secret)
            {
                keys.Add((rows.GetGuid(0), kind.Name, new(rows.GetString(3), secret)));
            }
        }
        return keys;
    }
}
