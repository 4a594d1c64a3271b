using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Feedback.Auth;

/// <summary>Whom the web site's own session names.</summary>
internal static class AuthApi
{
    private static readonly AccessScheme Cookie = new("next_auth", AccessPlace.Cookie, "next-auth.session-token");

    public static void MapAuth(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/auth/check", Check).WithTags("auth").WithSummary("The e-mail address of the web site's session")
            .WithMetadata(new AccessRule("next_auth", Cookie));

    /// <summary>403 without a cookie, 401 with one that does not hold; an expiry is honoured where there is one.</summary>
    internal static Ok<string?> Check(HttpRequest request, NextAuthSessions sessions)
    {
        var token = sessions.TokenIn(request)
            ?? throw new Failure(FailureKind.Forbidden, OasstErrors.Framework, "Not authenticated");
        var claims = sessions.Read(token, needsExpiry: false)
            ?? throw new Failure(FailureKind.Unauthenticated, OasstErrors.Framework, "The session is not valid");
        var email = claims.Text("email");
        return email is null || LooksLikeAddress(email)
            ? TypedResults.Ok<string?>(email)
            : throw new Failure(FailureKind.Unauthenticated, OasstErrors.Framework, "The session is not valid");
    }

    private static bool LooksLikeAddress(string text) =>
        text.Length <= 320 && text.Split('@') is [{ Length: > 0 }, { Length: > 2 } host] && host.Contains('.', StringComparison.Ordinal)
        && !text.Any(sign => char.IsWhiteSpace(sign) || char.IsControl(sign));
}
