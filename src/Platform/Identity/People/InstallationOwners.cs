using Microsoft.EntityFrameworkCore;

namespace Stoa.Platform.Identity;

/// <summary>Those who own the organization that runs the installation: nobody below them decides about their accounts.</summary>
internal static class InstallationOwners
{
    /// <exception cref="Http.Failure">Forbidden: the person is one of them and the caller is not.</exception>
    public static async Task RequireRightOverAsync(this IdentityDb db, Caller caller, Guid personId, CancellationToken ct)
    {
        if (await db.Memberships.AnyAsync(known => known.OrganizationId == Organization.DefaultId && known.PersonId == personId
                && known.Role == MemberRole.Owner, ct))
        {
            caller.Require(MemberRole.Owner);
        }
    }
}
