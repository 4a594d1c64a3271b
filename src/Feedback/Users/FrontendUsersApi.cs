using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Users;

/// <summary>Users by the names under which a program knows them.</summary>
internal static class FrontendUsersApi
{
    public static void MapFrontendUsers(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/frontend_users").WithTags("frontend_users").RequireApiClient();
        users.MapGet("/", ListAsync).TakesQuery(query => UsersApi.Range(query, UserDirectory.Username))
            .WithSummary("List users by their names");
        users.MapPost("/", SaveAsync).TakesBody(body => Read(body)).WithSummary("Make a user, or change what is known of him");
        users.MapGet("/{auth_method}/{username}", GetAsync).TakesQuery(UsersApi.ClientId).WithSummary("Read a user");
    }

    internal static Task<Ok<IReadOnlyList<FrontEndUser>>> ListAsync(
        HttpRequest request, ApiClient client, UserDirectory users, CancellationToken ct) =>
        UsersApi.ListAsync(UserDirectory.Username, request, client, users, mayDescend: false, ct);

    /// <summary>
    /// A field that the body does not have stays as it is; the original puts its own default there, and so takes back a ban. A program that
    /// is not trusted may make users and name them, no more.
    /// </summary>
    internal static async Task<Ok<FrontEndUser>> SaveAsync(
        HttpContext context, ApiClient client, UserStore store, UserDirectory users, CancellationToken ct)
    {
        var (user, asked) = await WireBody.ReadAsync(context, Read);
        var known = await store.EnsureAsync(client, user, ct);
        var change = new UserChange(
            Enabled: asked.Enabled == known.Enabled ? null : asked.Enabled,
            Notes: asked.Notes == known.Notes ? null : asked.Notes,
            ShowOnLeaderboard: asked.ShowOnLeaderboard == known.ShowOnLeaderboard ? null : asked.ShowOnLeaderboard,
            AcceptsTos: asked.AcceptsTos && known.TosAcceptanceDate is null);
        if (change.IsNothing)
        {
            return TypedResults.Ok(FrontEndUser.Of(known));
        }
        return client.Trusted
            ? TypedResults.Ok(FrontEndUser.Of(await users.UpdateAsync(known.Id, change, ct)))
            : throw FeedbackCode.ApiClientNotAuthorized.Refusal("The API client is not authorized to change users");
    }

    internal static async Task<Ok<FrontEndUser>> GetAsync(
        [FromRoute(Name = "auth_method")] string authMethod, string username, HttpRequest request, ApiClient client, UserDirectory users,
        CancellationToken ct)
    {
        var asked = WireQuery.Read(request, UsersApi.ClientId);
        return TypedResults.Ok(FrontEndUser.Of(
            await users.RequireAsync(authMethod, username, UserDirectory.Confine(client, asked) ?? client.Id, ct)));
    }

    private static (User User, UserChange Asked) Read(WireBody body) => (User.Read(body), new UserChange(
        Enabled: body.OptionalFlag("enabled"), Notes: body.OptionalText("notes", most: 1_024),
        ShowOnLeaderboard: body.OptionalFlag("show_on_leaderboard"), AcceptsTos: body.OptionalFlag("tos_acceptance") == true));
}
