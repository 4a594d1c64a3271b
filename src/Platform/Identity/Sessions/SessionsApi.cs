using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>
/// In and out for scripts of a site of ours. JSON alone keeps other sites' forms away: a browser asks before it sends that.
/// </summary>
internal static class SessionsApi
{
    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        var sessions = routes.MapGroup("/sessions").WithTags("Sessions");
        sessions.MapPost("/", SignInAsync).AllowAnyone()
            .WithSummary("Sign in with e-mail address and password; the answer sets the cookie");
        sessions.MapDelete("/current", SignOutAsync).RequireCaller().WithSummary("Sign out");
    }

    internal static async Task<NoContent> SignInAsync(
        Credentials credentials, HttpContext context, PasswordSignIn passwords,
        Callers callers, BrowserSignIn browser, CancellationToken ct)
    {
        var person = await passwords.ProveAsync(credentials.Email, credentials.Password, context.Connection.RemoteIpAddress, ct);
        // Anyone may ask here, so nobody has looked yet whose cookie came along.
        context.Features.Set(await callers.FindAsync(context));
        await browser.BeginAsync(context, person, "password", ct);
        return TypedResults.NoContent();
    }

    internal static async Task<NoContent> SignOutAsync(HttpContext context, Caller caller, BrowserSignIn browser, CancellationToken ct)
    {
        if (caller.Session is null)
        {
            throw new Failure(FailureKind.Conflict, "no_session", "A key has no session to end");
        }
        await browser.EndAsync(context, ct);
        return TypedResults.NoContent();
    }

    internal sealed record Credentials(string? Email, string? Password);
}
