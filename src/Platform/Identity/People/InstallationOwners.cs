using Microsoft.EntityFrameworkCore;

namespace Stoa.Platform.Identity;

/// <summary>Those who own the organization that runs the installation: nobody below them decides about their accounts.</summary>
internal static class InstallationOwners
{
    /// <returns>Whether the person is one of them.</returns>
    /// <exception cref="Http.Failure">Forbidden: the person is one of them and the caller is not.</exception>
    public static async Task<bool> RequireRightOverAsync(this IdentityDb db, Caller caller, Guid personId, CancellationToken ct)
    {
        var isOwner = await db.Memberships.AnyAsync(known => known.OrganizationId == Organization.DefaultId && known.PersonId == personId
            && known.Role == MemberRole.Owner, ct);
        if (isOwner)
        {
            caller.Require(MemberRole.Owner);
        }
        return isOwner;
    }
}
