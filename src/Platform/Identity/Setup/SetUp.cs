using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>What the first admin says of himself and of the organization that runs the installation.</summary>
internal sealed record SetupTerms(string? Token, string? Organization, string? Name, string? Email, string? Password);

/// <summary>Makes the first admin, names the organization <c>default</c>, and makes its first key: all of it or nothing.</summary>
internal sealed class SetUp(
    IdentityDb db, PersonStore people, PasswordSignIn passwords, KeyStore keys, TimeProvider time)
{
    private const string Actor = "setup";

    /// <summary>Whether somebody may still be the first.</summary>
    public async Task<bool> IsOpenAsync(CancellationToken ct) => !await db.People.AnyAsync(ct);

    /// <summary>Of several who try at the same time, one succeeds.</summary>
    /// <exception cref="Failure">Conflict <c>already_set_up</c>; forbidden <c>wrong_setup_token</c>; or a wrong field.</exception>
    public async Task<(Person Person, NewKey Key)> RunAsync(SetupTerms terms, CancellationToken ct)
    {
        if (!await IsTokenAsync(terms.Token, ct))
        {
            throw await IsOpenAsync(ct) ? WrongToken() : AlreadyDone();
        }
        OrganizationTerms.CheckName(terms.Organization);
        if (!PersonTerms.IsName(terms.Name))
        {
            throw Failure.Invalid("name must have between 1 and 200 characters and no control characters", "name");
        }
        if (!EmailAddress.TryRead(terms.Email, out var email))
        {
            throw Failure.Invalid("email must be an e-mail address", "email");
        }
        var hash = await passwords.HashAsync(terms.Password, "password", ct);
        return await AddAsync(terms, email, hash, ct);
    }

    private async Task<(Person Person, NewKey Key)> AddAsync(SetupTerms terms, string email, string hash, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Whoever deletes the tokens first has them all; the others wait for him and then find none.
        if (await db.SetupTokens.ExecuteDeleteAsync(ct) == 0 || await db.People.AnyAsync(ct))
        {
            throw AlreadyDone();
        }
        var person = people.Add(new(email, terms.Name!, IsEmailVerified: true), Actor);
        person.PasswordHash = hash;
        db.Memberships.Add(new()
        {
            OrganizationId = Organization.DefaultId, PersonId = person.Id, Role = MemberRole.Owner, CreatedAt = time.GetUtcNow(),
        });
        db.Note(time, Actor, "setup", $"person:{person.Id}", Organization.DefaultId);
        await people.SaveAsync(ct);
        var name = terms.Organization!.Trim();
        await db.Organizations.Where(organization => organization.Id == Organization.DefaultId)
            .ExecuteUpdateAsync(set => set.SetProperty(organization => organization.Name, name), ct);
        var key = await keys.CreateAsync(
            (NpgsqlConnection)db.Database.GetDbConnection(), Organization.DefaultId,
            new("First key", IsAdmin: true), $"person:{person.Id}", ct);
        await transaction.CommitAsync(ct);
        return (person, key);
    }

    private async Task<bool> IsTokenAsync(string? token, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return SecretToken.TryHash(token?.Trim(), out var hash)
            && await db.SetupTokens.AnyAsync(known => known.TokenHash == hash && known.ExpiresAt > now, ct);
    }

    private static Failure AlreadyDone() => new(FailureKind.Conflict, "already_set_up", "This installation has been set up");

    private static Failure WrongToken() => new(
        FailureKind.Forbidden, "wrong_setup_token",
        "This is not the token of the log, or it is older than a day: restart to get a new one");
}
