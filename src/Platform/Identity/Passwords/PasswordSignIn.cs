using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Http;
using Stoa.Platform.Limits;

namespace Stoa.Platform.Identity;

/// <summary>
/// Proves a person by e-mail address and password. Whatever is wrong, the answer is the same and costs the same: nobody learns by text or
/// by time who has an account. Guessing is slowed down per address it comes from and per account; the second limit passes by itself, so
/// that whoever guesses cannot keep the owner out for good.
/// </summary>
internal sealed class PasswordSignIn(
    IdentityDb db, PersonStore people, SessionCache sessions, PasswordHasher hasher, PasswordRule rule, ILimits limits,
    TimeProvider time)
{
    private const int PerPlace = 10;
    private const int PerAccount = 30;

    private static readonly TimeSpan PlaceWindow = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AccountWindow = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan EmailWindow = TimeSpan.FromHours(1);

    /// <exception cref="Failure">Unauthenticated, or too many attempts with the time to wait.</exception>
    public async Task<Person> ProveAsync(string? email, string? password, IPAddress? address, CancellationToken ct)
    {
        var key = EmailAddress.TryRead(email, out var read) ? EmailAddress.KeyOf(read) : null;
        var place = await TakeAsync(new(Place.OwnerOf(address), "signin"), PerPlace, PlaceWindow, ct);
        var account = await TakeAsync(new(AccountOf(key ?? ""), "signin-account"), PerAccount, AccountWindow, ct);
        var person = key is null ? null : await db.People.FirstOrDefaultAsync(person => person.EmailKey == key, ct);
        if (!await VerifyAsync(person, password, ct) || person is not { State: PersonState.Active })
        {
            throw Wrong();
        }
        limits.Settle(place.Key, PlaceWindow, -1, place.TakenAt);
        limits.Settle(account.Key, AccountWindow, -1, account.TakenAt);
        return person;
    }

    /// <summary>Changes the password of somebody who is signed in. Whoever has none yet needs no old one.</summary>
    public async Task ChangeAsync(Guid personId, string? old, string? wanted, string actor, CancellationToken ct)
    {
        var person = await db.People.FirstAsync(person => person.Id == personId, ct);
        rule.Check(wanted, "new_password");
        if (person.PasswordHash is not null)
        {
            await ConfirmAsync(person, old, "old_password", ct);
        }
        person.PasswordHash = await hasher.HashAsync(wanted!, ct);
        await db.PasswordResets.Where(reset => reset.PersonId == personId).ExecuteDeleteAsync(ct);
        db.Note(time, actor, "password.change", $"person:{personId}");
        await db.SaveChangesAsync(ct);
    }

    /// <summary>
    /// Changes the address that somebody signs in with. Nobody has made sure yet that the new one is his. Few attempts are allowed, since
    /// each tells whether somebody else has the address.
    /// </summary>
    /// <exception cref="Failure">Conflict <c>email_taken</c>, or <c>no_password</c>: he has none to prove himself with.</exception>
    public async Task ChangeEmailAsync(Guid personId, string? email, string? password, string actor, CancellationToken ct)
    {
        if (!EmailAddress.TryRead(email, out var address))
        {
            throw Failure.Invalid("email must be an e-mail address", "email");
        }
        var person = await db.People.FirstAsync(person => person.Id == personId, ct);
        if (person.PasswordHash is null)
        {
            throw new Failure(FailureKind.Conflict, "no_password", "Set a password first");
        }
        await ConfirmAsync(person, password, "password", ct);
        await TakeAsync(new(personId, "email"), PerPlace, EmailWindow, ct);
        if (person.Email == address)
        {
            return;
        }
        person.EmailVerifiedAt = person.EmailKey == EmailAddress.KeyOf(address) ? person.EmailVerifiedAt : null;
        (person.Email, person.EmailKey) = (address, EmailAddress.KeyOf(address));
        db.Note(time, actor, "email.change", $"person:{personId}");
        await people.SaveAsync(ct);
        sessions.Forget(personId);
    }

    /// <summary>The hash of a password that passes the rule.</summary>
    public Task<string> HashAsync(string? password, string field, CancellationToken ct)
    {
        rule.Check(password, field);
        return hasher.HashAsync(password!, ct);
    }

    private async Task ConfirmAsync(Person person, string? password, string field, CancellationToken ct)
    {
        var attempt = await TakeAsync(new(person.Id, "password"), PerPlace, AccountWindow, ct);
        if (!await VerifyAsync(person, password, ct))
        {
            throw Failure.Invalid("The password is wrong", field, "wrong_password");
        }
        limits.Settle(attempt.Key, AccountWindow, -1, attempt.TakenAt);
    }

    private async Task<bool> VerifyAsync(Person? person, string? password, CancellationToken ct)
    {
        var hash = PasswordRule.IsUsable(password) ? person?.PasswordHash : null;
        var given = PasswordRule.IsUsable(password) ? password : "";
        var (isRight, isOld) = await hasher.VerifyAsync(hash, given, ct);
        if (isOld)
        {
            person!.PasswordHash = await hasher.HashAsync(given, ct);
            await db.SaveChangesAsync(ct);
        }
        return isRight;
    }

    private async Task<(LimitKey Key, long TakenAt)> TakeAsync(LimitKey key, int limit, TimeSpan window, CancellationToken ct)
    {
        var reading = await limits.TakeAsync(key, limit, window, 1, ct);
        return reading.Allowed
            ? (key, reading.TakenAt)
            : throw Failure.TooMany("Too many attempts. Wait a moment and try again.", reading.RetryAfter);
    }

    private static Guid AccountOf(string emailKey) => new(SHA256.HashData(Encoding.UTF8.GetBytes(emailKey)).AsSpan(0, 16));

    private static Failure Wrong() => new(FailureKind.Unauthenticated, "wrong_credentials", "E-mail address or password is wrong");
}
