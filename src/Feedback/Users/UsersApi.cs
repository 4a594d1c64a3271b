using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Users;

/// <summary>Users by their ids.</summary>
internal static class UsersApi
{
    public const int MostUsers = 10_000;

    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/users").WithTags("users");
        users.MapGet("/by_username", ByUsernameAsync).RequireApiClient().WithSummary("List users by their names");
        users.MapGet("/by_display_name", ByDisplayNameAsync).RequireApiClient().WithSummary("List users by the names that they show");
        users.MapGet("/cursor", PageAsync).RequireApiClient().WithSummary("Page through users");
        users.MapGet("/{user_id}", GetAsync).RequireApiClient().WithSummary("Read a user");
        users.MapPut("/{user_id}", UpdateAsync).RequireTrustedClient().WithSummary("Change what is known of a user");
        users.MapDelete("/{user_id}", DeleteAsync).RequireTrustedClient().WithSummary("Delete a user; his messages stay");
    }

    internal static Task<Ok<IReadOnlyList<FrontEndUser>>> ByUsernameAsync(
        HttpRequest request, ApiClient client, UserDirectory users, CancellationToken ct) =>
        ListAsync(UserDirectory.Username, request, client, users, mayDescend: true, ct);

    internal static Task<Ok<IReadOnlyList<FrontEndUser>>> ByDisplayNameAsync(
        HttpRequest request, ApiClient client, UserDirectory users, CancellationToken ct) =>
        ListAsync(UserDirectory.DisplayName, request, client, users, mayDescend: true, ct);

    internal static async Task<Ok<IReadOnlyList<FrontEndUser>>> ListAsync(
        string column, HttpRequest request, ApiClient client, UserDirectory users, bool mayDescend, CancellationToken ct)
    {
        var query = new WireQuery(request);
        var (from, fromId) = (query.Text($"gte_{column}"), query.Id("gt_id"));
        var (to, toId) = (query.Text($"lte_{column}"), query.Id("lt_id"));
        var filter = Filter(query);
        var most = query.Integer("max_count", 100, least: 1, most: MostUsers);
        var descending = mayDescend && query.Flag("desc", otherwise: false);
        query.Check();
        if ((from is null && fromId is not null) || (to is null && toId is not null))
        {
            throw FeedbackCode.Generic.Refusal($"An id needs its {column}");
        }
        var found = await users.ListAsync(
            column, filter with { ApiClientId = UserDirectory.Confine(client, filter.ApiClientId) },
            from is null ? null : new(fromId, from), to is null ? null : new(toId, to), most, descending, ct);
        return TypedResults.Ok<IReadOnlyList<FrontEndUser>>(found.ConvertAll(FrontEndUser.Of));
    }

    /// <summary>Always ascending.</summary>
    internal static async Task<Ok<PageResult<FrontEndUser>>> PageAsync(HttpRequest request, ApiClient client, UserDirectory users, CancellationToken ct)
    {
        var query = new WireQuery(request);
        var (before, after) = (query.Text("before"), query.Text("after"));
        var column = query.Text("sort_key", most: 32) ?? UserDirectory.Username;
        var filter = Filter(query);
        var most = query.Integer("max_count", 100, least: 1, most: MostUsers);
        query.Check();
        if (column is not (UserDirectory.Username or UserDirectory.DisplayName))
        {
            throw FeedbackCode.SortKeyUnsupported.Refusal("Users are sorted by username or display_name");
        }
        var page = new CursorPage(Cursor.Parse(before), Cursor.Parse(after), most, Descending: false);
        return TypedResults.Ok(await users.PageAsync(
            column, filter with { ApiClientId = UserDirectory.Confine(client, filter.ApiClientId) }, page, ct));
    }

    internal static async Task<Ok<FrontEndUser>> GetAsync(
        [FromRoute(Name = "user_id")] string userId, HttpRequest request, ApiClient client, UserDirectory users, CancellationToken ct)
    {
        var id = WireQuery.PathId(userId, "user_id");
        var query = new WireQuery(request);
        var asked = query.Id("api_client_id");
        query.Check();
        return TypedResults.Ok(FrontEndUser.Of(await users.RequireAsync(id, UserDirectory.Confine(client, asked), ct)));
    }

    internal static async Task<NoContent> UpdateAsync(
        [FromRoute(Name = "user_id")] string userId, HttpRequest request, UserDirectory users, CancellationToken ct)
    {
        var id = WireQuery.PathId(userId, "user_id");
        var query = new WireQuery(request);
        var change = new UserChange(
            query.Text("display_name", most: 256), query.OptionalFlag("enabled"), query.Text("notes", most: 1_024),
            query.OptionalFlag("show_on_leaderboard"), query.Flag("tos_acceptance", otherwise: false));
        query.Check();
        await users.UpdateAsync(id, change, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<NoContent> DeleteAsync([FromRoute(Name = "user_id")] string userId, UserDirectory users, CancellationToken ct)
    {
        await users.DeleteAsync(WireQuery.PathId(userId, "user_id"), ct);
        return TypedResults.NoContent();
    }

    private static UserFilter Filter(WireQuery query) =>
        new(query.Id("api_client_id"), query.Text("auth_method", most: 128), query.Text("search_text"));
}
