using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Leave to set a new password without the old one. The token is kept as a hash.</summary>
internal sealed class PasswordReset
{
    public required byte[] TokenHash { get; init; }

    public Guid PersonId { get; init; }

    /// <summary>Made by an owner of the installation, or on the host's shell: good for an owner's account too.</summary>
    public bool IsByOwner { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A reset just made. The token is in the link that is shown this once.</summary>
public sealed record NewPasswordReset(string Token, DateTimeOffset ExpiresAt);

/// <summary>
/// Lets people in again who have forgotten their password: an operator makes a link and hands it over, since we send no mail. Whoever has
/// it sets a new password, once and within a day.
/// </summary>
public sealed class PasswordResets
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    private readonly IdentityDb db;
    private readonly PasswordSignIn passwords;
    private readonly SessionCache sessions;
    private readonly TimeProvider time;

    internal PasswordResets(IdentityDb db, PasswordSignIn passwords, SessionCache sessions, TimeProvider time) =>
        (this.db, this.passwords, this.sessions, this.time) = (db, passwords, sessions, time);

    /// <summary>Made by somebody of the installation.</summary>
    /// <exception cref="Failure">
    /// Forbidden: the person owns the organization that runs the installation and the caller does not. By the link he would become an
    /// owner.
    /// </exception>
    public async Task<NewPasswordReset> CreateAsync(Guid personId, Caller caller, CancellationToken ct)
    {
        caller.RequireOperator();
        await db.RequireRightOverAsync(caller, personId, ct);
        return await CreateAsync(personId, caller.Actor, isByOwner: caller.Role == MemberRole.Owner, ct);
    }

    /// <summary>Made by whoever has a shell on the host, for anybody.</summary>
    public Task<NewPasswordReset> CreateAsync(Guid personId, string actor, CancellationToken ct) =>
        CreateAsync(personId, actor, isByOwner: true, ct);

    /// <summary>A new link. One that was made for the same person before works no more.</summary>
    private async Task<NewPasswordReset> CreateAsync(Guid personId, string actor, bool isByOwner, CancellationToken ct)
    {
        if (!await db.People.AnyAsync(person => person.Id == personId && person.State == PersonState.Active && person.Email != null, ct))
        {
            throw await db.People.AnyAsync(person => person.Id == personId && person.State != PersonState.Erased, ct)
                ? new Failure(
                    FailureKind.Conflict, "no_password_sign_in", "This account is suspended, or has no e-mail address to sign in with")
                : Failure.NotFound("Person");
        }
        var token = SecretToken.Create();
        var made = new PasswordReset
        {
            TokenHash = SecretToken.HashOf(token), PersonId = personId, IsByOwner = isByOwner, ExpiresAt = time.GetUtcNow() + Lifetime,
        };
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.PasswordResets.Where(reset => reset.PersonId == personId).ExecuteDeleteAsync(ct);
        db.PasswordResets.Add(made);
        db.Note(time, actor, "password.reset_link", $"person:{personId}");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return new(token, made.ExpiresAt);
    }

    /// <summary>
    /// For whom a link was made; null when it was used or replaced, is too old or never was one, may not lead to an owner, or he may not
    /// sign in.
    /// </summary>
    public async Task<Person?> FindAsync(string? token, CancellationToken ct)
    {
        return SecretToken.TryHash(token, out var hash)
            ? await Open(hash).Join(db.People, reset => reset.PersonId, person => person.Id, (_, person) => person)
                .FirstOrDefaultAsync(person => person.State == PersonState.Active, ct)
            : null;
    }

    /// <summary>Sets the password and ends all sessions. Of several attempts one succeeds.</summary>
    public async Task<Person> UseAsync(string? token, string? password, CancellationToken ct)
    {
        var person = await FindAsync(token, ct) ?? throw NotOpen();
        person.PasswordHash = await passwords.HashAsync(password, "password", ct);
        var hash = SecretToken.HashOf(token!);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Whoever deletes the row first has it; the others wait for him and then find none.
        if (await Open(hash).ExecuteDeleteAsync(ct) == 0)
        {
            throw NotOpen();
        }
        await db.Sessions.Where(row => row.PersonId == person.Id).ExecuteDeleteAsync(ct);
        db.Note(time, $"person:{person.Id}", "password.reset", $"person:{person.Id}");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        sessions.Forget(person.Id);
        return person;
    }

    // Whoever has become an owner since is not to be got at by a link that somebody below him made.
    private IQueryable<PasswordReset> Open(byte[] hash)
    {
        var now = time.GetUtcNow();
        return db.PasswordResets.Where(reset => reset.TokenHash == hash && reset.ExpiresAt > now
            && (reset.IsByOwner || !db.Memberships.Any(known => known.OrganizationId == Organization.DefaultId
                && known.PersonId == reset.PersonId && known.Role == MemberRole.Owner)));
    }

    private static Failure NotOpen() => new(FailureKind.NotFound, "reset_not_open", "This link was used or replaced, or is too old");
}
