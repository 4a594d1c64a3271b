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

    private Task<List<AuditEntry>> ListAsync(Guid? organizationId, Guid? after, int limit, CancellationToken ct) =>
        db.Audit.AsNoTracking().Where(entry => entry.OrganizationId == organizationId && (after == null || entry.Id < after))
            .OrderByDescending(entry => entry.Id).Take(limit).ToListAsync(ct);
}
