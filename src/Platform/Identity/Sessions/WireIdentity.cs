using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>
/// For wires that have routes of their own for signing in and for members: the same acts as on our pages, with the token in the caller's
/// hand instead of a cookie.
/// </summary>
public sealed class WireIdentity
{
    private readonly IdentityDb db;
    private readonly PasswordSignIn passwords;
    private readonly SessionStore sessions;
    private readonly SessionCache cache;
    private readonly InvitationStore invitations;

    internal WireIdentity(
        IdentityDb db, PasswordSignIn passwords, SessionStore sessions, SessionCache cache, InvitationStore invitations) =>
        (this.db, this.passwords, this.sessions, this.cache, this.invitations) = (db, passwords, sessions, cache, invitations);

    /// <exception cref="Failure">Unauthenticated, or too many attempts; the same for whoever has no account.</exception>
    public async Task<NewSession> SignInAsync(HttpContext context, string? email, string? password, CancellationToken ct)
    {
        var person = await passwords.ProveAsync(email, password, context.Connection.RemoteIpAddress, ct);
        return await sessions.BeginAsync(person.Id, "password", BrowserSignIn.PlaceOf(context), ct);
    }

    /// <summary>From now on the session acts for another of the person's organizations. Its token stays: the client keeps it.</summary>
    /// <exception cref="Failure">Not found: the person is no member of it.</exception>
    public async Task ChooseAsync(Session session, Guid organizationId, CancellationToken ct)
    {
        if (session.Organizations.All(own => own.Id != organizationId))
        {
            throw Failure.NotFound("Organization");
        }
        await db.Sessions.Where(row => row.Id == session.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.OrganizationId, organizationId), ct);
        cache.Forget(session.PersonId ?? session.Id);
    }

    public Task EndAsync(Session session, CancellationToken ct) => sessions.EndAsync(session, Caller.Of(session).Actor, ct);

    /// <summary>Asks somebody into the session's organization. The link goes back to the caller, since we send no mail.</summary>
    public async Task<(InvitationView Invitation, string Link)> InviteAsync(
        Session session, string? email, MemberRole role, CancellationToken ct)
    {
        var caller = Caller.Of(session);
        caller.Require(MemberRole.Admin);
        var made = await invitations.CreateAsync(caller, email, role, ct);
        return (made.Invitation, $"/invitation?token={made.Token}");
    }

    /// <summary>The members whose name or address holds the text, by name, and how many there are.</summary>
    public async Task<(List<Member> Members, int Total)> SearchAsync(
        Guid organizationId, string? text, int skip, int take, CancellationToken ct)
    {
        var pattern = text is null ? "%"
            : $"%{text.Replace("!", "!!", StringComparison.Ordinal).Replace("%", "!%", StringComparison.Ordinal).Replace("_", "!_", StringComparison.Ordinal)}%";
        var members = MemberStore.Members(db, organizationId)
            .Where(member => EF.Functions.ILike(member.Name, pattern, "!") || EF.Functions.ILike(member.Email!, pattern, "!"));
        return (await members.OrderBy(member => member.Name).ThenBy(member => member.PersonId).Skip(skip).Take(take).ToListAsync(ct),
            await members.CountAsync(ct));
    }
}
