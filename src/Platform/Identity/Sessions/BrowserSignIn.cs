using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>
/// The one way in and out of a browser: whatever proved the person (a password, a provider, an invitation), this begins his session and
/// gives him the cookie. A session that the browser brought along ends, so that nobody can plant one.
/// </summary>
public sealed class BrowserSignIn
{
    private const int LongestAgent = 300;

    private readonly SessionStore sessions;

    internal BrowserSignIn(SessionStore sessions) => this.sessions = sessions;

    /// <param name="way">For the audit: <c>password</c>, <c>google</c>, …</param>
    /// <exception cref="Failure">Forbidden: the person may not sign in.</exception>
    public async Task BeginAsync(HttpContext context, Person person, string way, CancellationToken ct)
    {
        if (person.State != PersonState.Active)
        {
            throw Failure.Forbidden("This account is suspended");
        }
        await EndOldAsync(context, ct);
        SessionCookie.Write(context, await sessions.BeginAsync(person.Id, way, PlaceOf(context), ct));
    }

    internal async Task BeginAsync(HttpContext context, ApiKey key, CancellationToken ct)
    {
        await EndOldAsync(context, ct);
        SessionCookie.Write(context, await sessions.BeginAsync(key, PlaceOf(context), ct));
    }

    internal async Task EndAsync(HttpContext context, CancellationToken ct)
    {
        await EndOldAsync(context, ct);
        SessionCookie.Delete(context);
    }

    private async Task EndOldAsync(HttpContext context, CancellationToken ct)
    {
        // Looked up once, before the route was served.
        if (context.Features.Get<Caller>() is { Session: { } old } caller)
        {
            await sessions.EndAsync(old, caller.Actor, ct);
        }
    }

    internal static SessionPlace PlaceOf(HttpContext context)
    {
        var agent = context.Request.Headers.UserAgent.ToString();
        var clean = new string(
            [.. agent.Where(character => !char.IsControl(character) && !char.IsSurrogate(character)).Take(LongestAgent)]);
        return new(context.Connection.RemoteIpAddress?.ToString(), clean.Length > 0 ? clean : null);
    }
}
