using Microsoft.EntityFrameworkCore;

namespace Stoa.Platform.Identity;

/// <summary>
/// Who owns an organization changes by one hand at a time: two owners who go at the same moment would leave none. Locks are of the caller's
/// transaction. Whoever is suspended cannot act, so he is none to be left as the only owner.
/// </summary>
internal static class OrganizationOwners
{
    public static Task LockOwnersAsync(this IdentityDb db, Guid organizationId, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select from platform.organizations where id = {organizationId} for update", ct);

    /// <summary>Of all organizations that the person owns.</summary>
    public static Task LockOwnedAsync(this IdentityDb db, Guid personId, CancellationToken ct) => db.Database.ExecuteSqlAsync($"""
        select from platform.organizations where id in (
          select organization_id from platform.memberships where person_id = {personId} and role = 'owner'
        ) order by id for update
        """, ct);

    public static Task<bool> HasOtherOwnerAsync(this IdentityDb db, Guid organizationId, Guid personId, CancellationToken ct) =>
        db.Memberships.AnyAsync(
            other => other.OrganizationId == organizationId && other.PersonId != personId && other.Role == MemberRole.Owner
                && db.People.Any(person => person.Id == other.PersonId && person.State == PersonState.Active), ct);
}
