using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Privacy;

/// <summary>What the platform itself keeps about a person: the account, what it belongs to, and the acts that were written down.</summary>
internal sealed class PlatformData(IdentityDb db, SessionCache sessions, TimeProvider time) : IPersonalData
{
    public string Name => "platform";

    public async Task ExportAsync(Guid personId, ExportFolder folder, CancellationToken ct)
    {
        await folder.AddAsync("person", db.People.Where(person => person.Id == personId)
            .Select(person => new Profile(person.Id, person.Name, person.Email, person.EmailVerifiedAt, person.Locale, person.TimeZone,
                person.CreatedAt, person.LastSignInAt)).AsAsyncEnumerable(), PrivacyJson.Default.Profile, ct);
        await folder.AddAsync("accounts", db.ExternalAccounts.Where(account => account.PersonId == personId)
            .Select(account => new Account(account.Provider, account.Subject, account.Email, account.LinkedAt)).AsAsyncEnumerable(),
            PrivacyJson.Default.Account, ct);
        await folder.AddAsync("memberships",
            (from membership in db.Memberships
             join organization in db.Organizations on membership.OrganizationId equals organization.Id
             where membership.PersonId == personId
             orderby membership.CreatedAt
             select new Belonging(organization.Id, organization.Name, membership.Role, membership.CreatedAt)).AsAsyncEnumerable(),
            PrivacyJson.Default.Belonging, ct);
        await folder.AddAsync("sessions", db.Sessions.Where(session => session.PersonId == personId)
            .Select(session => new Visit(session.Address, session.UserAgent, session.CreatedAt, session.LastSeenAt)).AsAsyncEnumerable(),
            PrivacyJson.Default.Visit, ct);
        await folder.AddAsync("invitations", db.People.Where(person => person.Id == personId)
            .Join(db.Invitations, person => person.EmailKey, invitation => invitation.EmailKey, (_, invitation) => invitation)
            .Select(invitation =>
                new Asked(invitation.OrganizationId, invitation.Email, invitation.Role, invitation.CreatedAt, invitation.AcceptedAt))
            .AsAsyncEnumerable(), PrivacyJson.Default.Asked, ct);
        var (actor, subject) = ($"person:{personId}", $"person:{personId}");
        await folder.AddAsync("audit", db.Audit.Where(entry => entry.Subject == subject || entry.Actor == actor).OrderBy(entry => entry.Id)
            .Select(entry => new Act(entry.At, entry.Actor, entry.Act, entry.Subject)).AsAsyncEnumerable(), PrivacyJson.Default.Act, ct);
    }

    public async Task EraseAsync(Guid personId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Who was asked in is told by the address alone, so these go before it does.
        await db.Invitations.Where(invitation => db.People.Any(person => person.Id == personId && person.EmailKey == invitation.EmailKey))
            .ExecuteDeleteAsync(ct);
        await db.Invitations.Where(invitation => invitation.AcceptedBy == personId).ExecuteDeleteAsync(ct);
        await db.LockOwnedAsync(personId, ct);
        await BequeathAsync(personId, ct);
        await db.Memberships.Where(membership => membership.PersonId == personId).ExecuteDeleteAsync(ct);
        await db.ExternalAccounts.Where(account => account.PersonId == personId).ExecuteDeleteAsync(ct);
        await db.Sessions.Where(session => session.PersonId == personId).ExecuteDeleteAsync(ct);
        await db.PasswordResets.Where(reset => reset.PersonId == personId).ExecuteDeleteAsync(ct);
        await db.Database.ExecuteSqlAsync($"""
            update platform.people
              set state = 'erased', name = '', email = null, email_key = null, email_verified_at = null, password_hash = null,
              locale = 'en', time_zone = 'UTC', last_sign_in_at = null, erase_at = null, erased_at = coalesce(erased_at, {now})
            where id = {personId}
            """, ct);
        db.Note(time, "erasure", "person.erase", $"person:{personId}");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        sessions.Forget(personId);
    }

    // Where nobody else owns an organization, whoever is highest and longest there does from now on. Whoever is suspended counts for
    // nothing.
    private Task<int> BequeathAsync(Guid personId, CancellationToken ct) => db.Database.ExecuteSqlAsync($"""
        update platform.memberships heir set role = 'owner'
        from (
          select distinct on (other.organization_id) other.organization_id, other.person_id
          from platform.memberships own join platform.memberships other
            on other.organization_id = own.organization_id and other.person_id <> own.person_id
          join platform.people on people.id = other.person_id and people.state = 'active'
          where own.person_id = {personId} and own.role = 'owner' and not exists (
            select from platform.memberships owner join platform.people on people.id = owner.person_id and people.state = 'active'
            where owner.organization_id = own.organization_id and owner.role = 'owner' and owner.person_id <> own.person_id)
          order by other.organization_id, array_position(array['admin', 'member', 'viewer'], other.role), other.created_at
        ) as chosen
        where heir.organization_id = chosen.organization_id and heir.person_id = chosen.person_id
        """, ct);

    internal sealed record Profile(
        Guid Id, string Name, string? Email, DateTimeOffset? EmailVerifiedAt, string Locale, string TimeZone, DateTimeOffset CreatedAt,
        DateTimeOffset? LastSignInAt);

    internal sealed record Account(string Provider, string Subject, string? Email, DateTimeOffset LinkedAt);

    internal sealed record Belonging(Guid OrganizationId, string Organization, MemberRole Role, DateTimeOffset Since);

    internal sealed record Visit(string? Address, string? UserAgent, DateTimeOffset CreatedAt, DateTimeOffset LastSeenAt);

    internal sealed record Asked(Guid OrganizationId, string Email, MemberRole Role, DateTimeOffset CreatedAt, DateTimeOffset? AcceptedAt);

    internal sealed record Act(DateTimeOffset At, string Actor, string What, string Subject);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PlatformData.Profile))]
[JsonSerializable(typeof(PlatformData.Account))]
[JsonSerializable(typeof(PlatformData.Belonging))]
[JsonSerializable(typeof(PlatformData.Visit))]
[JsonSerializable(typeof(PlatformData.Asked))]
[JsonSerializable(typeof(PlatformData.Act))]
[JsonSerializable(typeof(PrivacyApi.Pending))]
[JsonSerializable(typeof(ErasePerson))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class PrivacyJson : JsonSerializerContext;
