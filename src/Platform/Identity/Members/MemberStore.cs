using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>A member as the admins of the organization see him.</summary>
public sealed record Member
{
    public Guid PersonId { get; init; }

    public required string Name { get; init; }

    public string? Email { get; init; }

    public MemberRole Role { get; init; }

    public PersonState State { get; init; }

    public DateTimeOffset JoinedAt { get; init; }

    public DateTimeOffset? LastSignInAt { get; init; }
}

/// <summary>
/// Who belongs to an organization, and as what. A change ends nothing but the right: every host forgets what it knew of the person, so
/// the next request is judged by the new role.
/// </summary>
public sealed class MemberStore(IdentityDb db, SessionCache sessions, TimeProvider time)
{
    /// <summary>In the order of people's ids, from the one after <paramref name="after"/> on.</summary>
    public Task<List<Member>> ListAsync(Guid organizationId, Guid? after, int limit, CancellationToken ct) =>
        Members(organizationId).Where(member => after == null || member.PersonId > after)
            .OrderBy(member => member.PersonId).Take(limit).ToListAsync(ct);

    public async Task<Member> GetAsync(Guid organizationId, Guid personId, CancellationToken ct) =>
        await Members(organizationId).FirstOrDefaultAsync(member => member.PersonId == personId, ct) ?? throw Failure.NotFound("Member");

    /// <summary>Makes somebody a member, or leaves him what he is. For modules that let people in by their own rules.</summary>
    public async Task AddAsync(Guid organizationId, Guid personId, MemberRole role, string actor, CancellationToken ct)
    {
        if (await db.Memberships.AnyAsync(known => known.OrganizationId == organizationId && known.PersonId == personId, ct))
        {
            return;
        }
        db.Memberships.Add(new() { OrganizationId = organizationId, PersonId = personId, Role = role, CreatedAt = time.GetUtcNow() });
        Note(actor, "member.add", organizationId, personId, role);
        await db.SaveChangesAsync(ct);
        sessions.Forget(personId);
    }

    /// <summary>Gives a member another role. Only an owner makes an owner, or makes one less.</summary>
    /// <exception cref="Failure">Conflict <c>last_owner</c>.</exception>
    public async Task<Member> SetRoleAsync(Caller caller, Guid personId, MemberRole role, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.LockOwnersAsync(caller.OrganizationId, ct);
        var membership = await FindAsync(caller.OrganizationId, personId, ct);
        RequireOwnerFor(caller, membership.Role, role);
        if (membership.Role != role)
        {
            await KeepAnOwnerAsync(membership, role, ct);
            membership.Role = role;
            Note(caller.Actor, "member.role", caller.OrganizationId, personId, role);
            await db.SaveChangesAsync(ct);
        }
        await transaction.CommitAsync(ct);
        sessions.Forget(personId);
        return await GetAsync(caller.OrganizationId, personId, ct);
    }

    /// <exception cref="Failure">Conflict <c>last_owner</c>.</exception>
    public Task RemoveAsync(Caller caller, Guid personId, CancellationToken ct) =>
        EndAsync(caller.OrganizationId, personId, caller.Actor, "member.remove", role => RequireOwnerFor(caller, role), ct);

    /// <summary>Whatever his role: nobody is held.</summary>
    /// <exception cref="Failure">Conflict <c>last_owner</c>. Not found: he is no member.</exception>
    public Task LeaveAsync(Guid organizationId, Guid personId, CancellationToken ct) =>
        EndAsync(organizationId, personId, $"person:{personId}", "member.leave", static _ => { }, ct);

    /// <summary>Whoever gives a role must be able to take it: an admin neither makes owners nor unmakes them.</summary>
    internal static void RequireOwnerFor(Caller caller, params ReadOnlySpan<MemberRole> roles)
    {
        if (roles.Contains(MemberRole.Owner))
        {
            caller.Require(MemberRole.Owner);
        }
    }

    private async Task EndAsync(
        Guid organizationId, Guid personId, string actor, string act, Action<MemberRole> check, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.LockOwnersAsync(organizationId, ct);
        var membership = await FindAsync(organizationId, personId, ct);
        check(membership.Role);
        await KeepAnOwnerAsync(membership, null, ct);
        db.Memberships.Remove(membership);
        Note(actor, act, organizationId, personId, membership.Role);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        sessions.Forget(personId);
    }

    private IQueryable<Member> Members(Guid organizationId) => Members(db, organizationId);

    internal static IQueryable<Member> Members(IdentityDb db, Guid organizationId) =>
        from membership in db.Memberships.AsNoTracking()
        join person in db.People on membership.PersonId equals person.Id
        where membership.OrganizationId == organizationId
        select new Member
        {
            PersonId = person.Id,
            Name = person.Name,
            Email = person.Email,
            Role = membership.Role,
            State = person.State,
            JoinedAt = membership.CreatedAt,
            LastSignInAt = person.LastSignInAt,
        };

    private async Task<Membership> FindAsync(Guid organizationId, Guid personId, CancellationToken ct) =>
        await db.Memberships.FirstOrDefaultAsync(known => known.OrganizationId == organizationId && known.PersonId == personId, ct)
        ?? throw Failure.NotFound("Member");

    private async Task KeepAnOwnerAsync(Membership membership, MemberRole? next, CancellationToken ct)
    {
        if (membership.Role == MemberRole.Owner && next != MemberRole.Owner
            && !await db.HasOtherOwnerAsync(membership.OrganizationId, membership.PersonId, ct))
        {
            throw new Failure(FailureKind.Conflict, "last_owner", "An organization keeps at least one owner; make somebody else one first");
        }
    }

    private void Note(string actor, string act, Guid organizationId, Guid personId, MemberRole role) =>
        db.Note(time, actor, act, $"person:{personId}", organizationId, new() { ["role"] = role.ToString().ToLowerInvariant() });
}
