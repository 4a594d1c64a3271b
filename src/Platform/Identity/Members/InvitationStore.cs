using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>An invitation as the admins see it, and to whom it is shown when he follows the link.</summary>
public sealed record InvitationView
{
    public Guid Id { get; init; }

    public Guid OrganizationId { get; init; }

    public required string Organization { get; init; }

    public required string Email { get; init; }

    public MemberRole Role { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? AcceptedAt { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }
}

/// <summary>An invitation just made. The token is in the link that is shown this once.</summary>
internal sealed record NewInvitation(InvitationView Invitation, string Token);

/// <summary>Asks people into an organization. Whoever has the link and the address is let in, once.</summary>
internal sealed class InvitationStore(
    IdentityDb db, PersonStore people, PasswordSignIn passwords, SessionCache sessions, TimeProvider time, IOptions<PersonOptions> options)
{
    /// <summary>A new invitation. One that is open for the same address gives way to it.</summary>
    public async Task<NewInvitation> CreateAsync(Caller caller, string? email, MemberRole role, CancellationToken ct)
    {
        MemberStore.RequireOwnerFor(caller, role);
        if (!EmailAddress.TryRead(email, out var address))
        {
            throw Failure.Invalid("email must be an e-mail address", "email");
        }
        var (now, key, organization) = (time.GetUtcNow(), EmailAddress.KeyOf(address), caller.OrganizationId);
        if (await (from membership in db.Memberships
                   join person in db.People on membership.PersonId equals person.Id
                   where membership.OrganizationId == organization && person.EmailKey == key
                   select person.Id).AnyAsync(ct))
        {
            throw new Failure(FailureKind.Conflict, "already_member", "Somebody with this address is a member already");
        }
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await Open(organization).Where(invitation => invitation.EmailKey == key)
            .ExecuteUpdateAsync(set => set.SetProperty(invitation => invitation.RevokedAt, now), ct);
        var token = SecretToken.Create();
        var made = new Invitation
        {
            Id = Guid.CreateVersion7(now),
            OrganizationId = organization,
            Email = address,
            EmailKey = key,
            Role = role,
            TokenHash = SecretToken.HashOf(token),
            CreatedAt = now,
            ExpiresAt = now.AddDays(options.Value.InvitationDays),
        };
        db.Invitations.Add(made);
        db.Note(time, caller.Actor, "invitation.create", $"invitation:{made.Id}", organization,
            new() { ["role"] = role.ToString().ToLowerInvariant() });
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return new(await Views(db.Invitations.Where(invitation => invitation.Id == made.Id)).SingleAsync(ct), token);
    }

    /// <summary>Oldest first, from the one after <paramref name="after"/> on.</summary>
    public Task<List<InvitationView>> ListAsync(Guid organizationId, Guid? after, int limit, CancellationToken ct) =>
        Views(db.Invitations.Where(invitation => invitation.OrganizationId == organizationId && (after == null || invitation.Id > after)))
            .OrderBy(invitation => invitation.Id).Take(limit).ToListAsync(ct);

    /// <summary>Those that can still be accepted, the newest first.</summary>
    public Task<List<InvitationView>> ListOpenAsync(Guid organizationId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return Views(Open(organizationId).Where(invitation => invitation.ExpiresAt > now))
            .OrderByDescending(invitation => invitation.Id).Take(200).ToListAsync(ct);
    }

    public async Task RevokeAsync(Guid organizationId, Guid id, string actor, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (await Open(organizationId).Where(invitation => invitation.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(invitation => invitation.RevokedAt, now), ct) > 0)
        {
            db.Note(time, actor, "invitation.revoke", $"invitation:{id}", organizationId);
            await db.SaveChangesAsync(ct);
        }
        else if (!await db.Invitations.AnyAsync(invitation => invitation.Id == id && invitation.OrganizationId == organizationId, ct))
        {
            throw Failure.NotFound("Invitation");
        }
    }

    /// <summary>What a link invites to; null when it was used, withdrawn, is too old or never was one.</summary>
    public async Task<InvitationView?> FindAsync(string? token, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return SecretToken.TryHash(token, out var hash)
            ? await Views(db.Invitations.Where(invitation => invitation.TokenHash == hash && invitation.AcceptedAt == null
                && invitation.RevokedAt == null && invitation.ExpiresAt > now)).SingleOrDefaultAsync(ct)
            : null;
    }

    /// <summary>Accepts as the person who is signed in, whose address must be the invited one. Of several attempts one succeeds.</summary>
    public async Task<InvitationView> AcceptAsync(string? token, Guid personId, CancellationToken ct)
    {
        var invitation = await FindAsync(token, ct) ?? throw NotOpen();
        var person = await people.FindAsync(personId, ct) ?? throw Failure.NotFound("Person");
        if (person.EmailKey != EmailAddress.KeyOf(invitation.Email))
        {
            // The same words as for a link that is none: who was invited is nobody else's business.
            throw NotOpen();
        }
        await JoinAsync(invitation, personId, ct);
        return invitation;
    }

    /// <summary>Accepts by making an account for the invited address, which nobody must have yet.</summary>
    /// <exception cref="Failure">Conflict <c>email_taken</c>: sign in first, then accept.</exception>
    public async Task<Person> AcceptAsNewAsync(string? token, string? name, string? password, CancellationToken ct)
    {
        var invitation = await FindAsync(token, ct) ?? throw NotOpen();
        if (!PersonTerms.IsName(name))
        {
            throw Failure.Invalid("name must have between 1 and 200 characters and no control characters", "name");
        }
        var hash = await passwords.HashAsync(password, "password", ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var person = people.Add(new(invitation.Email, name), $"invitation:{invitation.Id}");
        person.PasswordHash = hash;
        await people.SaveAsync(ct);
        await JoinAsync(invitation, person.Id, ct);
        await transaction.CommitAsync(ct);
        return person;
    }

    private async Task JoinAsync(InvitationView invitation, Guid personId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(ct) : null;
        await using var _ = transaction;
        // Whoever changes the row first has it; the others wait for him and then find it taken.
        if (await Open(invitation.OrganizationId).Where(row => row.Id == invitation.Id && row.ExpiresAt > now).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.AcceptedAt, now).SetProperty(row => row.AcceptedBy, personId), ct) == 0)
        {
            throw NotOpen();
        }
        if (!await db.Memberships.AnyAsync(known => known.OrganizationId == invitation.OrganizationId && known.PersonId == personId, ct))
        {
            db.Memberships.Add(new()
            {
                OrganizationId = invitation.OrganizationId, PersonId = personId, Role = invitation.Role, CreatedAt = now,
            });
        }
        db.Note(time, $"person:{personId}", "invitation.accept", $"invitation:{invitation.Id}", invitation.OrganizationId);
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException error) when (error.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            throw new Failure(FailureKind.Conflict, "already_member", "Somebody with this address is a member already");
        }
        if (transaction is not null)
        {
            await transaction.CommitAsync(ct);
        }
        sessions.Forget(personId);
    }

    private IQueryable<Invitation> Open(Guid organizationId) => db.Invitations.Where(invitation =>
        invitation.OrganizationId == organizationId && invitation.AcceptedAt == null && invitation.RevokedAt == null);

    private IQueryable<InvitationView> Views(IQueryable<Invitation> invitations) =>
        from invitation in invitations.AsNoTracking()
        join organization in db.Organizations on invitation.OrganizationId equals organization.Id
        select new InvitationView
        {
            Id = invitation.Id,
            OrganizationId = organization.Id,
            Organization = organization.Name,
            Email = invitation.Email,
            Role = invitation.Role,
            CreatedAt = invitation.CreatedAt,
            ExpiresAt = invitation.ExpiresAt,
            AcceptedAt = invitation.AcceptedAt,
            RevokedAt = invitation.RevokedAt,
        };

    private static Failure NotOpen() => new(
        FailureKind.NotFound, "invitation_not_open", "This invitation was used, withdrawn or is too old, or it is for somebody else");
}
