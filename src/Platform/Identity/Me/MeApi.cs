using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>What concerns whoever calls, and nobody else: no route here takes the id of a person.</summary>
internal static class MeApi
{
    public static void MapMe(this IEndpointRouteBuilder routes)
    {
        var me = routes.MapGroup("/me").WithTags("Me");
        me.MapGet("/", GetAsync).RequireCaller().WithSummary("Who calls: the person or the key, and the organization acted for");
        me.MapPatch("/", UpdateAsync).RequirePerson().WithSummary("Change name, language and time zone");
        me.MapPut("/password", ChangePasswordAsync).RequirePerson().WithSummary("Change the password; all other sessions end");
        me.MapPut("/email", ChangeEmailAsync).RequirePerson().WithSummary("Change the e-mail address; all other sessions end");
        me.MapPut("/organization", ChooseOrganizationAsync).RequirePerson()
            .WithSummary("Act for another organization that one is a member of");
        me.MapDelete("/organizations/{id:guid}", LeaveAsync).RequirePerson().WithSummary("Leave an organization");
        me.MapGet("/sessions", SessionsAsync).RequirePerson().WithSummary("List one's own live sessions");
        me.MapDelete("/sessions", EndSessionsAsync).RequirePerson().WithSummary("Sign out everywhere, here too");
        me.MapDelete("/sessions/{id:guid}", EndSessionAsync).RequirePerson().WithSummary("End one of one's own sessions");
        me.MapGet("/accounts", AccountsAsync).RequirePerson().WithSummary("List the accounts at providers that open this one");
        me.MapDelete("/accounts/{provider}", UnlinkAsync).RequirePerson().WithSummary("Unlink the accounts of a provider");
    }

    internal static async Task<Ok<MeView>> GetAsync(Caller caller, PersonStore people, CancellationToken ct)
    {
        var person = caller.PersonId is { } id ? await people.FindAsync(id, ct) : null;
        return TypedResults.Ok(MeView.Of(caller, person));
    }

    internal static async Task<Ok<MeView>> UpdateAsync(PersonTerms terms, Caller caller, PersonStore people, CancellationToken ct)
    {
        Failure.ThrowIfAny(terms.Check());
        return TypedResults.Ok(MeView.Of(caller, await people.UpdateAsync(caller.RequirePerson(), terms, ct)));
    }

    internal static async Task<NoContent> ChangePasswordAsync(
        PasswordChange change, HttpContext context, Caller caller, PasswordSignIn passwords, SessionStore sessions, CancellationToken ct)
    {
        await passwords.ChangeAsync(caller.RequirePerson(), change.OldPassword, change.NewPassword, caller.Actor, ct);
        await EndOthersAsync(context, caller, sessions, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<NoContent> ChangeEmailAsync(
        EmailChange change, HttpContext context, Caller caller, PasswordSignIn passwords, SessionStore sessions, CancellationToken ct)
    {
        await passwords.ChangeEmailAsync(caller.RequirePerson(), change.Email, change.Password, caller.Actor, ct);
        await EndOthersAsync(context, caller, sessions, ct);
        return TypedResults.NoContent();
    }

    // What he signs in with has changed: whoever else is signed in as him is no longer, and this session goes on under another token.
    private static async Task EndOthersAsync(HttpContext context, Caller caller, SessionStore sessions, CancellationToken ct)
    {
        await sessions.EndAllAsync(caller.RequirePerson(), except: caller.Session!.Id, caller.Actor, ct);
        SessionCookie.Write(context, await sessions.RotateAsync(caller.Session, ct));
    }

    internal static async Task<NoContent> ChooseOrganizationAsync(
        OrganizationChoice choice, HttpContext context, Caller caller, SessionStore sessions, CancellationToken ct)
    {
        await SwitchAsync(context, caller, sessions, choice.OrganizationId ?? throw Failure.Invalid("is required", "organization_id"), ct);
        return TypedResults.NoContent();
    }

    /// <summary>What the session may do changes, so it goes on under another token.</summary>
    internal static async Task SwitchAsync(HttpContext context, Caller caller, SessionStore sessions, Guid id, CancellationToken ct)
    {
        if (!caller.Session!.Organizations.Any(own => own.Id == id))
        {
            throw Failure.NotFound("Organization");
        }
        SessionCookie.Write(context, await sessions.RotateAsync(caller.Session, ct, id));
    }

    /// <summary>Whoever acted for it acts for another of his organizations from now on, if he has one.</summary>
    internal static async Task<NoContent> LeaveAsync(
        Guid id, HttpContext context, Caller caller, MemberStore members, SessionStore sessions, CancellationToken ct)
    {
        await members.LeaveAsync(id, caller.RequirePerson(), ct);
        if (caller.Session!.OrganizationId == id)
        {
            var next = caller.Session.Organizations.FirstOrDefault(own => own.Id != id)?.Id;
            SessionCookie.Write(context, await sessions.RotateAsync(caller.Session, ct, next));
        }
        return TypedResults.NoContent();
    }

    internal static async Task<Ok<OwnSessions>> SessionsAsync(Caller caller, SessionStore sessions, CancellationToken ct)
    {
        var rows = await sessions.ListAsync(caller.RequirePerson(), ct);
        return TypedResults.Ok(new OwnSessions([.. rows.Select(row => OwnSession.Of(row, caller.Session!.Id))]));
    }

    internal static async Task<NoContent> EndSessionsAsync(HttpContext context, Caller caller, SessionStore sessions, CancellationToken ct)
    {
        await sessions.EndAllAsync(caller.RequirePerson(), except: null, caller.Actor, ct);
        SessionCookie.Delete(context);
        return TypedResults.NoContent();
    }

    internal static async Task<NoContent> EndSessionAsync(Guid id, Caller caller, SessionStore sessions, CancellationToken ct)
    {
        await sessions.EndAsync(caller.RequirePerson(), id, caller.Actor, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Ok<OwnAccounts>> AccountsAsync(Caller caller, PersonStore people, CancellationToken ct)
    {
        var accounts = await people.AccountsAsync(caller.RequirePerson(), ct);
        return TypedResults.Ok(
            new OwnAccounts([.. accounts.Select(account => new OwnAccount(account.Provider, account.Email, account.LinkedAt))]));
    }

    internal static async Task<NoContent> UnlinkAsync(string provider, Caller caller, PersonStore people, CancellationToken ct)
    {
        await people.UnlinkAsync(caller.RequirePerson(), provider.Replace("\0", "", StringComparison.Ordinal), caller.Actor, ct);
        return TypedResults.NoContent();
    }

    internal sealed record PasswordChange(string? OldPassword, string? NewPassword);

    /// <param name="Password">The one he has.</param>
    internal sealed record EmailChange(string? Email, string? Password);

    internal sealed record OrganizationChoice(Guid? OrganizationId);

    internal sealed record OwnSessions(IReadOnlyList<OwnSession> Items);

    /// <param name="IsCurrent">The one that asked.</param>
    internal sealed record OwnSession(
        Guid Id, string? Address, string? UserAgent, DateTimeOffset CreatedAt,
        DateTimeOffset LastSeenAt, DateTimeOffset ExpiresAt, bool IsCurrent)
    {
        public static OwnSession Of(SessionRow row, Guid current) =>
            new(row.Id, row.Address, row.UserAgent, row.CreatedAt, row.LastSeenAt, row.ExpiresAt, row.Id == current);
    }

    internal sealed record OwnAccounts(IReadOnlyList<OwnAccount> Items);

    internal sealed record OwnAccount(string Provider, string? Email, DateTimeOffset LinkedAt);
}
