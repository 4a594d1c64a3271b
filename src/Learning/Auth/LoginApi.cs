using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Users;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Learning.Auth;

/// <summary>Signing in, which is also signing up.</summary>
internal static class LoginApi
{
    public static void MapLogin(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/auth/login", LoginAsync).AllowAnyone().WithTags("auth").WithSummary("Sign in with an ID token of Google's");

    internal static async Task<Ok<SignedInUser>> LoginAsync(
        Body<UserLoginData> body, GoogleTokens google, UserStore users, LearningTokens tokens, CancellationToken ct)
    {
        var login = body.Value;
        var identity = await google.VerifyAsync(login.IdToken, ct);
        if (UserStore.Key(identity.Email) != UserStore.Key(login.Email))
        {
            throw Refusal.Unauthorized("Email in token doesn't match provided email");
        }
        var user = await users.SignInAsync(identity, login.GivenName, login.FamilyName, ct);
        return TypedResults.Ok(new SignedInUser(
            user.Id, user.Email, user.FirstName, user.MiddleName, user.LastName, user.DefaultDpColor, user.CreatedAt,
            tokens.CanIssue ? tokens.Issue(user.Id, user.Email) : null));
    }

    internal sealed record UserLoginData
    {
        public required string Email { get; init; }

        public required string GivenName { get; init; }

        public string? FamilyName { get; init; }

        public required string IdToken { get; init; }
    }
}
