using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Finds out who calls: by <c>Authorization: Bearer</c> with a live key, else by the session cookie.</summary>
internal sealed class Callers(KeyRing ring, SessionCache sessions, OwnOrigins origins, Guesses guesses)
{
    public async ValueTask<Caller> RequireAsync(HttpContext context)
    {
        if (await FindAsync(context) is not { } caller)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            throw guesses.Count(
                context, context.Request.Headers.Authorization.ToString(),
                Failure.Unauthenticated("Sign in, or send an API key: Authorization: Bearer <key>"));
        }
        if (caller.Session is not null)
        {
            origins.Check(context.Request);
        }
        return caller;
    }

    public ValueTask<Caller?> FindAsync(HttpContext context)
    {
        // Whoever names a credential means it: a wrong key is not made good by a cookie.
        if (context.Request.Headers.Authorization.Count > 0)
        {
            return ValueTask.FromResult(FindByKey(context.Request.BearerTokenSpan()));
        }
        return SessionCookie.Read(context.Request) is { } token ? FindBySessionAsync(token, context.RequestAborted) : default;
    }

    private Caller? FindByKey(ReadOnlySpan<char> token)
    {
        if (token.IsEmpty || ring.Find(token) is not { } key)
        {
            return null;
        }
        ring.Used(key);
        return Caller.Of(key);
    }

    private async ValueTask<Caller?> FindBySessionAsync(string token, CancellationToken ct)
    {
        if (await sessions.FindAsync(token, ct) is not { } session)
        {
            return null;
        }
        if (session.Person is not null)
        {
            return Caller.Of(session);
        }
        if (session.KeyId is not { } id || ring.FindLive(id, session.KeyPrefix) is not { } key)
        {
            return null;
        }
        ring.Used(key);
        return Caller.Of(key, session);
    }
}
