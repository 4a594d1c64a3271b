using Microsoft.EntityFrameworkCore;

namespace Stoa.Platform.Identity;

/// <summary>Reads what was written down by <see cref="IdentityDb.Note"/> and its like. Nothing here is ever changed.</summary>
internal sealed class AuditLog(IdentityDb db)
{
    /// <summary>
    /// The acts in the caller's organization, newest first, from the one before <paramref name="after"/> on. Operators also see what
    /// belongs to no organization: sign-ins of people who are in none, suspensions, erasures.
    /// </summary>
    public async Task<List<AuditEntry>> ListAsync(Caller caller, Guid? after, int limit, CancellationToken ct)
    {
        var own = await ListAsync(caller.OrganizationId, after, limit, ct);
        // Two lists, so that each is read along the index.
        return caller.IsOperator
            ? [.. own.Concat(await ListAsync(organizationId: null, after, limit, ct)).OrderByDescending(entry => entry.Id).Take(limit)]
            : own;
    }

    /// <summary>
    /// What those are called whom these acts speak of, by the words of the acts: <c>person:…</c>, <c>key:…</c>, <c>organization:…</c>,
    /// <c>principal:…</c>. The others have no name.
    /// </summary>
    public async Task<Dictionary<string, string>> NamesAsync(IEnumerable<AuditEntry> acts, CancellationToken ct)
    {
        Guid[] ids = [.. acts.SelectMany(act => new[] { act.Actor, act.Subject }).Select(IdOf).OfType<Guid>().Distinct()];
        var named = await db.Database.SqlQuery<Named>($"""
            select 'person:' || id as who, name from platform.people where id = any ({ids})
            union all select 'key:' || id, name from platform.api_keys where id = any ({ids})
            union all select 'organization:' || id, name from platform.organizations where id = any ({ids})
            union all select 'principal:' || id, name from platform.principals where id = any ({ids})
            """).ToListAsync(ct);
        return named.ToDictionary(one => one.Who, one => one.Name, StringComparer.Ordinal);
    }

    private static Guid? IdOf(string who) =>
        Guid.TryParse(who.AsSpan(who.IndexOf(':', StringComparison.Ordinal) + 1), out var id) ? id : null;

    private Task<List<AuditEntry>> ListAsync(Guid? organizationId, Guid? after, int limit, CancellationToken ct) =>
        db.Audit.AsNoTracking().Where(entry => entry.OrganizationId == organizationId && (after == null || entry.Id < after))
            .OrderByDescending(entry => entry.Id).Take(limit).ToListAsync(ct);

    private sealed record Named(string Who, string Name);
}
