using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Limits;

namespace Stoa.Assistants.Users;

/// <summary>
/// Makes users and lets them in. Whatever is wrong with an address and its password, the answer is the same and costs the same. Only what
/// Google has verified links a user to a person of the platform.
/// </summary>
internal sealed class Accounts(
    AssistantsDb db, UserStore users, PasswordHasher hasher, PasswordRule rule, GoogleTokens google, PersonStore people,
    ILimits limits, TimeProvider time)
{
    private const int PerAccount = 30;

    private static readonly TimeSpan AccountWindow = TimeSpan.FromMinutes(5);

    /// <exception cref="Failure">Invalid: the address has somebody, or is none; the password is too weak.</exception>
    public async Task<UserRow> RegisterAsync(string email, string name, string password, string language, CancellationToken ct)
    {
        if (!EmailAddress.TryRead(email, out var address))
        {
            throw Failure.Invalid("Invalid email", "email");
        }
        rule.Check(password, "password");
        var hash = await hasher.HashAsync(password, ct);
        return await AddAsync(name, address, language, user => user.Password = hash, ct);
    }

    public async Task<UserRow> ProveAsync(string email, string password, CancellationToken ct)
    {
        var key = EmailAddress.TryRead(email, out var address) ? EmailAddress.KeyOf(address) : "";
        var account = new LimitKey(new(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 16)), "assistants-signin");
        var taken = await limits.TakeAsync(account, PerAccount, AccountWindow, 1, ct);
        if (!taken.Allowed)
        {
            throw Failure.TooMany("Too many attempts. Wait a moment and try again.", taken.RetryAfter);
        }
        var user = await ByEmailAsync(db, key, ct);
        var hash = PasswordRule.IsUsable(password) ? user?.Password : null;
        var given = PasswordRule.IsUsable(password) ? password : "";
        var (isRight, isOld) = await hasher.VerifyAsync(hash, given, ct);
        if (!isRight || user is null)
        {
            throw Failure.Invalid("Wrong email or password.", code: "wrong_credentials");
        }
        limits.Settle(account, AccountWindow, -1, taken.TakenAt);
        if (isOld)
        {
            user.Password = await hasher.HashAsync(given, ct);
            await db.SaveChangesAsync(ct);
        }
        return user;
    }

    /// <summary>Whom Google vouches for; he becomes a user by that.</summary>
    public async Task<UserRow> GoogleAsync(string token, CancellationToken ct)
    {
        if (!google.CanRead(token))
        {
            throw NotConfigured("google");
        }
        GoogleIdentity identity;
        try
        {
            identity = await google.VerifyAsync(token, ct);
        }
        catch (Failure refused) when (refused.Kind == FailureKind.Unauthenticated)
        {
            throw Failure.Invalid("Invalid google_token", code: "wrong_credentials");
        }
        if (await db.Users.FirstOrDefaultAsync(user => user.GoogleId == identity.Subject, ct) is { } known)
        {
            return known;
        }
        // Whoever registered this address with a password never proved that it is his: he is not handed over to, nor let in with, its
        // owner.
        if (await ByEmailAsync(db, EmailAddress.KeyOf(identity.Email), ct) is { Password: not null })
        {
            throw Taken();
        }
        var person = await PersonAsync(identity, ct);
        var name = $"{identity.GivenName} {identity.FamilyName}".Trim();
        return await AddAsync(name.Length > 0 ? name : identity.Email, identity.Email, "en", user =>
        {
            (user.GoogleId, user.PersonId) = (identity.Subject, person);
        }, ct);
    }

    public static Failure NotConfigured(string method) =>
        Failure.Invalid($"The login method {method} is not configured", "login_method", "login_method_not_configured");

    private async Task<UserRow> AddAsync(string name, string email, string language, Action<UserRow> with, CancellationToken ct)
    {
        if (await ByEmailAsync(db, EmailAddress.KeyOf(email), ct) is not null)
        {
            throw Taken();
        }
        var user = new UserRow
        {
            Id = RandomNumberGenerator.GetHexString(32, lowercase: true), OrganizationId = await users.OrganizationAsync(ct), Name = name,
            Email = email, LanguageCode = language, CreatedAt = time.GetUtcNow(),
        };
        with(user);
        try
        {
            return await users.AddAsync(user, ct);
        }
        catch (DbUpdateException twice) when (twice.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            throw Taken();
        }
    }

    /// <summary>The platform's person of the same account. Null where another claims his address: he is helped here all the same.</summary>
    private async Task<Guid?> PersonAsync(GoogleIdentity identity, CancellationToken ct)
    {
        try
        {
            var person = await people.FindOrCreateAsync(
                new("google", identity.Subject, identity.Email, IsEmailVerified: true,
                    $"{identity.GivenName} {identity.FamilyName}".Trim()),
                mayCreate: true, ct);
            return person is { State: PersonState.Active } ? person.Id
                : throw Failure.Forbidden("Authentication error : this account is suspended");
        }
        catch (Failure taken) when (taken.Kind == FailureKind.Conflict)
        {
            return null;
        }
    }

    public static Task<UserRow?> ByEmailAsync(AssistantsDb db, string key, CancellationToken ct) =>
        db.Users.FromSql($"select * from assistants.users where lower(email) = lower({key})").FirstOrDefaultAsync(ct);

    private static Failure Taken() => Failure.Invalid("Email already exists.", "email", "email_taken");
}
