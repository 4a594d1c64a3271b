using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;

namespace Stoa.Platform.Identity;

/// <summary>
/// Sessions that were used lately, in memory, so that a request asks the database only now and then. What changes a person's rights
/// makes every host forget him (<see cref="SessionSync"/>); what is held is read anew after half a minute, should that word be lost.
/// </summary>
public sealed class SessionCache(NpgsqlDataSource source, TimeProvider time, IOptions<SessionOptions> options)
{
    internal static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private const int MostEntries = 100_000;

    private readonly ConcurrentDictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> uses = new();
    private int forgotten;

    /// <summary>The live session that this token opens, or null.</summary>
    public async ValueTask<Session?> FindAsync(string token, CancellationToken ct)
    {
        if (!SecretToken.TryHash(token, out var hash))
        {
            return null;
        }
        var now = time.GetUtcNow();
        var key = Convert.ToBase64String(hash);
        if (!entries.TryGetValue(key, out var entry) || entry.IsStale || now - entry.ReadAt > Fresh)
        {
            try
            {
                var before = Volatile.Read(ref forgotten);
                if (await ReadAsync(hash, now, ct) is not { } session)
                {
                    entries.TryRemove(key, out _);
                    return null;
                }
                entry = new(session, now);
                Keep(key, entry, before);
            }
            catch (Exception error) when (entry is not null && now - entry.ReadAt <= Longest && Outage.Is(error))
            {
                // While the database is away what is known holds a little longer.
            }
        }
        if (entry.Session.ExpiresAt <= now)
        {
            return null;
        }
        uses[entry.Session.Id] = now;
        return entry.Session;
    }

    /// <summary>
    /// Distrusts a person's sessions, or the session of a key by its own id; all of them without an id. They are read anew when they are
    /// used next; only while the database is away they still hold, for the minute that a change may take to be felt everywhere.
    /// </summary>
    internal void Forget(Guid? owner)
    {
        Interlocked.Increment(ref forgotten);
        // Changes are rare and look-ups are not, so there is no second index to keep.
        foreach (var (key, entry) in entries)
        {
            if (owner is null || (entry.Session.PersonId ?? entry.Session.Id) == owner)
            {
                entries.TryUpdate(key, entry with { IsStale = true }, entry);
            }
        }
    }

    /// <summary>Lets go of what is too old to be believed in any case.</summary>
    internal void Prune()
    {
        var now = time.GetUtcNow();
        foreach (var entry in entries.Where(entry => now - entry.Value.ReadAt > Longest))
        {
            entries.TryRemove(entry);
        }
    }

    /// <summary>Writes when sessions were last used: what keeps them from ending as idle.</summary>
    internal async Task SaveUsesAsync(CancellationToken ct)
    {
        var unsaved = uses.ToArray();
        if (unsaved.Length == 0)
        {
            return;
        }
        await using var command = source.CreateCommand("""
            update platform.sessions set last_seen_at = used.at
            from unnest(@ids, @instants) as used (id, at)
            where sessions.id = used.id and last_seen_at < used.at
            """);
        command.Parameters.Add(new("ids", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = Array.ConvertAll(unsaved, use => use.Key) });
        command.Parameters.Add(
            new("instants", NpgsqlDbType.Array | NpgsqlDbType.TimestampTz) { Value = Array.ConvertAll(unsaved, use => use.Value) });
        await command.ExecuteNonQueryAsync(ct);
        foreach (var use in unsaved)
        {
            // One that was used meanwhile has another value and stays.
            uses.TryRemove(use);
        }
    }

    private void Keep(string key, Entry entry, int before)
    {
        if (entries.Count >= MostEntries)
        {
            entries.Clear();
        }
        entries[key] = entry;
        // A change may have come between the reading and the keeping; then what was read may be old.
        if (Volatile.Read(ref forgotten) != before)
        {
            entries.TryUpdate(key, entry with { IsStale = true }, entry);
        }
    }

    private async Task<Session?> ReadAsync(byte[] hash, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select s.id, s.person_id, p.name, p.email, p.locale, p.time_zone, s.key_id, s.key_prefix, s.organization_id,
              s.created_at, s.expires_at,
              array(select o.id from platform.memberships m join platform.organizations o on o.id = m.organization_id
                where m.person_id = s.person_id order by m.created_at, o.id),
              array(select o.slug from platform.memberships m join platform.organizations o on o.id = m.organization_id
                where m.person_id = s.person_id order by m.created_at, o.id),
              array(select o.name from platform.memberships m join platform.organizations o on o.id = m.organization_id
                where m.person_id = s.person_id order by m.created_at, o.id),
              array(select m.role from platform.memberships m join platform.organizations o on o.id = m.organization_id
                where m.person_id = s.person_id order by m.created_at, o.id)
            from platform.sessions s left join platform.people p on p.id = s.person_id
            where s.token_hash = @hash and s.expires_at > @now and s.last_seen_at > @idle and (s.person_id is null or p.state = 'active')
            """);
        command.Parameters.AddWithValue("hash", hash);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("idle", now - options.Value.Idle);
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? Of(row) : null;
    }

    private static Session Of(NpgsqlDataReader row)
    {
        var (ids, slugs) = (row.GetFieldValue<Guid[]>(11), row.GetFieldValue<string[]>(12));
        var (names, roles) = (row.GetFieldValue<string[]>(13), row.GetFieldValue<string[]>(14));
        return new(
            row.GetGuid(0),
            row.IsDBNull(1) ? null : new(row.GetGuid(1), row.GetString(2), row.StringOrNull(3), row.GetString(4), row.GetString(5)),
            row.GuidOrNull(6), row.StringOrNull(7), row.GuidOrNull(8),
            [.. ids.Select((id, i) => new OwnOrganization(id, slugs[i], names[i], EnumNames<MemberRole>.Read(roles[i])))],
            row.GetFieldValue<DateTimeOffset>(9), row.GetFieldValue<DateTimeOffset>(10));
    }

    private sealed record Entry(Session Session, DateTimeOffset ReadAt, bool IsStale = false);
}
