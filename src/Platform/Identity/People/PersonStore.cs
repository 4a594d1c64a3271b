using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Somebody to be made. The address must have passed <see cref="EmailAddress.TryRead"/>.</summary>
public sealed record NewPerson(string? Email, string Name, bool IsEmailVerified = false, string? Locale = null, string? TimeZone = null);

/// <summary>What a provider says of somebody who has proved himself there.</summary>
/// <param name="Subject">The provider's own id of him, which never changes.</param>
/// <param name="IsEmailVerified">The provider has made sure that the address is his.</param>
public sealed record ProviderIdentity(string Provider, string Subject, string? Email, bool IsEmailVerified, string? Name = null);

/// <summary>Finds, makes and changes people, and links them to their accounts at providers.</summary>
public sealed class PersonStore(IdentityDb db, SessionCache sessions, TimeProvider time)
{
    public Task<Person?> FindAsync(Guid id, CancellationToken ct) =>
        db.People.AsNoTracking().FirstOrDefaultAsync(person => person.Id == id, ct);

    public Task<Person?> FindByEmailAsync(string email, CancellationToken ct)
    {
        var key = EmailAddress.KeyOf(email);
        return db.People.AsNoTracking().FirstOrDefaultAsync(person => person.EmailKey == key, ct);
    }

    public Task<Person?> FindByAccountAsync(string provider, string subject, CancellationToken ct) =>
        db.ExternalAccounts.Where(account => account.Provider == provider && account.Subject == subject)
            .Join(db.People.AsNoTracking(), account => account.PersonId, person => person.Id, (_, person) => person)
            .FirstOrDefaultAsync(ct);

    /// <exception cref="Failure">Conflict <c>email_taken</c>: somebody has this address.</exception>
    public async Task<Person> CreateAsync(NewPerson terms, string actor, CancellationToken ct)
    {
        var person = Add(terms, actor);
        await SaveAsync(ct);
        return person;
    }

    /// <summary>
    /// The person behind a provider's account: linked already, or known by an address that both sides vouch for (then he is linked), or
    /// new where <paramref name="mayCreate"/> says so. Null when there is none and none may be made.
    /// </summary>
    /// <exception cref="Failure">
    /// Conflict <c>email_taken</c>: somebody has the address and a password, and nobody ever made sure that it is his. Linking would hand
    /// the account to one of two who claim it; he signs in with the password first and links then.
    /// </exception>
    public async Task<Person?> FindOrCreateAsync(ProviderIdentity identity, bool mayCreate, CancellationToken ct)
    {
        if (await FindByAccountAsync(identity.Provider, identity.Subject, ct) is { } linked)
        {
            return linked;
        }
        var email = identity.IsEmailVerified && EmailAddress.TryRead(identity.Email, out var read) ? read : null;
        var key = email is null ? null : EmailAddress.KeyOf(email);
        var person = key is null ? null : await db.People.FirstOrDefaultAsync(other => other.EmailKey == key, ct);
        if (person is null && !mayCreate)
        {
            return null;
        }
        if (person is not null && person.EmailVerifiedAt is null && await HasOtherProofAsync(person, ct))
        {
            throw new Failure(FailureKind.Conflict, "email_taken",
                "Somebody has an account with this e-mail address. Sign in with its password, then link this one");
        }
        var name = PersonTerms.IsName(identity.Name) ? identity.Name : email?.Split('@')[0] ?? identity.Provider;
        person ??= Add(new(email, name, IsEmailVerified: email is not null), identity.Provider);
        person.EmailVerifiedAt ??= email is null ? null : time.GetUtcNow();
        AddAccount(person.Id, identity, identity.Provider);
        await SaveAsync(ct);
        return person;
    }

    /// <summary>Links an account to somebody who is signed in. Linking what is linked to him already changes nothing.</summary>
    /// <exception cref="Failure">Conflict <c>account_linked</c>: it is somebody else's.</exception>
    public async Task LinkAsync(Guid personId, ProviderIdentity identity, string actor, CancellationToken ct)
    {
        if (await FindByAccountAsync(identity.Provider, identity.Subject, ct) is { } owner)
        {
            if (owner.Id != personId)
            {
                throw new Failure(FailureKind.Conflict, "account_linked", "This account belongs to somebody else here");
            }
            return;
        }
        AddAccount(personId, identity, actor);
        await SaveAsync(ct);
    }

    /// <exception cref="Failure">Conflict <c>last_way_in</c>: without it he could not sign in any more.</exception>
    public async Task UnlinkAsync(Guid personId, string provider, string actor, CancellationToken ct)
    {
        var accounts = await db.ExternalAccounts.Where(account => account.PersonId == personId).ToListAsync(ct);
        var gone = accounts.FindAll(account => account.Provider == provider);
        if (gone.Count == 0)
        {
            throw Failure.NotFound("Account");
        }
        if (gone.Count == accounts.Count && !await db.People.AnyAsync(person => person.Id == personId && person.PasswordHash != null, ct))
        {
            throw new Failure(FailureKind.Conflict, "last_way_in", "Set a password first: this is the only way in");
        }
        db.RemoveRange(gone);
        db.Note(time, actor, "account.unlink", $"person:{personId}", details: new() { ["provider"] = provider });
        await db.SaveChangesAsync(ct);
    }

    public Task<List<ExternalAccount>> AccountsAsync(Guid personId, CancellationToken ct) =>
        db.ExternalAccounts.AsNoTracking().Where(account => account.PersonId == personId)
            .OrderBy(account => account.Provider).ThenBy(account => account.LinkedAt).ToListAsync(ct);

    public async Task<Person> UpdateAsync(Guid id, PersonTerms terms, CancellationToken ct)
    {
        var person = await db.People.FirstOrDefaultAsync(person => person.Id == id, ct) ?? throw Failure.NotFound("Person");
        person.Name = terms.Name?.Trim() ?? person.Name;
        person.Locale = terms.Locale ?? person.Locale;
        person.TimeZone = terms.TimeZone ?? person.TimeZone;
        await db.SaveChangesAsync(ct);
        sessions.Forget(id);
        return person;
    }

    /// <summary>
    /// Keeps somebody out, or lets him in again. His sessions end with the first. Also the only owner of an organization can be kept out,
    /// but not the last one of the installation.
    /// </summary>
    /// <exception cref="Failure">
    /// Forbidden: the person owns the organization that runs the installation and the caller does not. Conflict <c>last_owner</c>.
    /// </exception>
    public async Task<Person> SetStateAsync(Guid id, PersonState state, Caller caller, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.LockOwnedAsync(id, ct);
        var isInstallationOwner = await db.RequireRightOverAsync(caller, id, ct);
        var person = await db.People.FirstOrDefaultAsync(person => person.Id == id && person.State != PersonState.Erased, ct)
            ?? throw Failure.NotFound("Person");
        if (state == PersonState.Suspended && isInstallationOwner && !await db.HasOtherOwnerAsync(Organization.DefaultId, id, ct))
        {
            throw new Failure(
                FailureKind.Conflict, "last_owner", "The installation keeps at least one owner; make somebody else one first");
        }
        if (person.State != state)
        {
            person.State = state;
            db.Note(time, caller.Actor, state == PersonState.Active ? "person.reactivate" : "person.suspend", $"person:{id}");
            await db.SaveChangesAsync(ct);
        }
        if (state == PersonState.Suspended)
        {
            await db.Sessions.Where(row => row.PersonId == id).ExecuteDeleteAsync(ct);
        }
        await transaction.CommitAsync(ct);
        sessions.Forget(id);
        return person;
    }

    /// <summary>For operators, oldest first, from the one after <paramref name="after"/> on.</summary>
    public Task<List<Person>> ListAsync(Guid? after, int limit, CancellationToken ct) =>
        db.People.AsNoTracking().Where(person => after == null || person.Id > after)
            .OrderBy(person => person.Id).Take(limit).ToListAsync(ct);

    /// <summary>Into the unit of work, not yet into the database.</summary>
    internal Person Add(NewPerson terms, string actor)
    {
        var now = time.GetUtcNow();
        var person = new Person
        {
            Id = Guid.CreateVersion7(now),
            Email = terms.Email,
            EmailKey = terms.Email is null ? null : EmailAddress.KeyOf(terms.Email),
            EmailVerifiedAt = terms.IsEmailVerified ? now : null,
            Name = terms.Name.Trim(),
            Locale = terms.Locale ?? "en",
            TimeZone = terms.TimeZone ?? "UTC",
            CreatedAt = now,
        };
        db.People.Add(person);
        db.Note(time, actor, "person.create", $"person:{person.Id}");
        return person;
    }

    internal async Task SaveAsync(CancellationToken ct)
    {
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException error)
            when (error.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } twice)
        {
            throw twice.ConstraintName == "people_email_key_key"
                ? new Failure(FailureKind.Conflict, "email_taken", "Somebody has an account with this e-mail address")
                : new Failure(FailureKind.Conflict, "account_linked", "This account belongs to somebody else here");
        }
    }

    private async Task<bool> HasOtherProofAsync(Person person, CancellationToken ct) =>
        person.PasswordHash is not null || await db.ExternalAccounts.AnyAsync(account => account.PersonId == person.Id, ct);

    private void AddAccount(Guid personId, ProviderIdentity identity, string actor)
    {
        db.ExternalAccounts.Add(new()
        {
            Provider = identity.Provider,
            Subject = identity.Subject,
            PersonId = personId,
            Email = identity.Email,
            LinkedAt = time.GetUtcNow(),
        });
        db.Note(time, actor, "account.link", $"person:{personId}", details: new() { ["provider"] = identity.Provider });
    }
}
