using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Where a session is used from, as its owner is shown it.</summary>
public sealed record SessionPlace(string? Address, string? UserAgent);

/// <summary>Begins and ends sessions. What ends is forgotten here at once and by every other host within a second or so.</summary>
internal sealed class SessionStore(IdentityDb db, SessionCache cache, TimeProvider time, IOptions<SessionOptions> options)
{
    /// <summary>
    /// A session of a person, who acts for the organization that he has been a member of longest until he says otherwise.
    /// </summary>
    public async Task<NewSession> BeginAsync(Guid personId, string way, SessionPlace place, CancellationToken ct)
    {
        var organization = await db.Memberships.Where(membership => membership.PersonId == personId)
            .OrderBy(membership => membership.CreatedAt).ThenBy(membership => membership.OrganizationId)
            .Select(membership => (Guid?)membership.OrganizationId).FirstOrDefaultAsync(ct);
        var now = time.GetUtcNow();
        await db.People.Where(person => person.Id == personId)
            .ExecuteUpdateAsync(set => set.SetProperty(person => person.LastSignInAt, now), ct);
        return await AddAsync($"person:{personId}", way, place, ct, personId: personId, organizationId: organization);
    }

    /// <summary>A session of whoever holds a key: as long as the key lives, and no longer than any other.</summary>
    public Task<NewSession> BeginAsync(ApiKey key, SessionPlace place, CancellationToken ct) =>
        AddAsync($"key:{key.Id}", "key", place, ct, key: key, organizationId: key.OrganizationId);

    /// <summary>The same session under a new token: the old one opens nothing any more. For every change of what it may do.</summary>
    public async Task<NewSession> RotateAsync(Session session, CancellationToken ct, Guid? organizationId = null)
    {
        var token = SecretToken.Create();
        var hash = SecretToken.HashOf(token);
        var organization = organizationId ?? session.OrganizationId;
        var rotated = await db.Sessions.Where(row => row.Id == session.Id).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.TokenHash, hash).SetProperty(row => row.OrganizationId, organization), ct);
        Forget(session);
        return rotated == 1 ? new(session.Id, token, session.ExpiresAt) : throw Failure.Unauthenticated("The session has ended");
    }

    /// <summary>The live sessions of a person, the one used last first.</summary>
    public async Task<List<SessionRow>> ListAsync(Guid personId, CancellationToken ct)
    {
        var (now, idle) = (time.GetUtcNow(), time.GetUtcNow() - options.Value.Idle);
        return await db.Sessions.AsNoTracking()
            .Where(row => row.PersonId == personId && row.ExpiresAt > now && row.LastSeenAt > idle)
            .OrderByDescending(row => row.LastSeenAt).Take(200).ToListAsync(ct);
    }

    public async Task EndAsync(Session session, string actor, CancellationToken ct)
    {
        await db.Sessions.Where(row => row.Id == session.Id).ExecuteDeleteAsync(ct);
        Forget(session);
        db.Note(time, actor, "session.end", $"session:{session.Id}", session.OrganizationId);
        await db.SaveChangesAsync(ct);
    }

    /// <summary>Ends one of the person's own sessions; somebody else's is not found.</summary>
    public async Task EndAsync(Guid personId, Guid sessionId, string actor, CancellationToken ct)
    {
        if (await db.Sessions.Where(row => row.Id == sessionId && row.PersonId == personId).ExecuteDeleteAsync(ct) == 0)
        {
            throw Failure.NotFound("Session");
        }
        cache.Forget(personId);
        db.Note(time, actor, "session.end", $"session:{sessionId}");
        await db.SaveChangesAsync(ct);
    }

    /// <summary>Ends all sessions of a person, but for the one he is sitting at, if it is named.</summary>
    public async Task EndAllAsync(Guid personId, Guid? except, string actor, CancellationToken ct)
    {
        await db.Sessions.Where(row => row.PersonId == personId && row.Id != except).ExecuteDeleteAsync(ct);
        cache.Forget(personId);
        db.Note(time, actor, "session.end_all", $"person:{personId}");
        await db.SaveChangesAsync(ct);
    }

    private async Task<NewSession> AddAsync(
        string actor, string way, SessionPlace place, CancellationToken ct, Guid? personId = null, ApiKey? key = null,
        Guid? organizationId = null)
    {
        var now = time.GetUtcNow();
        var token = SecretToken.Create();
        var row = new SessionRow
        {
            Id = Guid.CreateVersion7(now),
            TokenHash = SecretToken.HashOf(token),
            PersonId = personId,
            KeyId = key?.Id,
            KeyPrefix = key?.Prefix,
            OrganizationId = organizationId,
            Address = place.Address,
            UserAgent = place.UserAgent,
            CreatedAt = now,
            LastSeenAt = now,
            ExpiresAt = now + options.Value.Absolute,
        };
        db.Sessions.Add(row);
        db.Note(time, actor, "session.begin", $"session:{row.Id}", organizationId, new() { ["way"] = way });
        await db.SaveChangesAsync(ct);
        return new(row.Id, token, row.ExpiresAt);
    }

    private void Forget(Session session) => cache.Forget(session.PersonId ?? session.Id);
}
