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
        users.MapGet("/by_username", ByUsernameAsync).RequireApiClient().WithSummary("List users by their names")
            .TakesQuery(query => (Range(query, UserDirectory.Username), Descends(query)));
        users.MapGet("/by_display_name", ByDisplayNameAsync).RequireApiClient().WithSummary("List users by the names that they show")
            .TakesQuery(query => (Range(query, UserDirectory.DisplayName), Descends(query)));
        users.MapGet("/cursor", PageAsync).TakesQuery(Page).RequireApiClient().WithSummary("Page through users");
        users.MapGet("/{user_id}", GetAsync).TakesQuery(ClientId).RequireApiClient().WithSummary("Read a user");
        users.MapPut("/{user_id}", UpdateAsync).TakesQuery(Change).RequireTrustedClient().WithSummary("Change what is known of a user");
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
        var (range, descending) = WireQuery.Read(request, query => (Range(query, column), mayDescend && Descends(query)));
        if ((range.From is null && range.FromId is not null) || (range.To is null && range.ToId is not null))
        {
            throw FeedbackCode.Generic.Refusal($"An id needs its {column}");
        }
        var found = await users.ListAsync(
            column, range.Filter with { ApiClientId = UserDirectory.Confine(client, range.Filter.ApiClientId) },
            range.From is null ? null : new(range.FromId, range.From),
            range.To is null ? null : new(range.ToId, range.To), range.Most, descending, ct);
        return TypedResults.Ok<IReadOnlyList<FrontEndUser>>(found.ConvertAll(FrontEndUser.Of));
    }

    /// <summary>Always ascending.</summary>
    internal static async Task<Ok<PageResult<FrontEndUser>>> PageAsync(
        HttpRequest request, ApiClient client, UserDirectory users, CancellationToken ct)
    {
        var (column, filter, before, after, most) = WireQuery.Read(request, Page);
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
        var asked = WireQuery.Read(request, ClientId);
        return TypedResults.Ok(FrontEndUser.Of(await users.RequireAsync(id, UserDirectory.Confine(client, asked), ct)));
    }

    internal static async Task<NoContent> UpdateAsync(
        [FromRoute(Name = "user_id")] string userId, HttpRequest request, UserDirectory users, CancellationToken ct)
    {
        var id = WireQuery.PathId(userId, "user_id");
        await users.UpdateAsync(id, WireQuery.Read(request, Change), ct);
        return TypedResults.NoContent();
    }

    internal static async Task<NoContent> DeleteAsync(
        [FromRoute(Name = "user_id")] string userId, UserDirectory users, CancellationToken ct)
    {
        await users.DeleteAsync(WireQuery.PathId(userId, "user_id"), ct);
        return TypedResults.NoContent();
    }

    /// <summary>Those between two names, both included unless an id says where.</summary>
    public static UserRange Range(WireQuery query, string column) => new(
        query.Text($"gte_{column}"), query.Id("gt_id"), query.Text($"lte_{column}"), query.Id("lt_id"), Filter(query), Most(query));

    private static bool Descends(WireQuery query) => query.Flag("desc", otherwise: false);

    private static (string Column, UserFilter Filter, string? Before, string? After, int Most) Page(WireQuery query) => (
        query.Text("sort_key", most: 32, otherwise: UserDirectory.Username)!,
        Filter(query), query.Text("before"), query.Text("after"), Most(query));

    private static int Most(WireQuery query) => query.Integer("max_count", 100, least: 1, most: MostUsers);

    public static Guid? ClientId(WireQuery query) => query.Id("api_client_id");

    private static UserChange Change(WireQuery query) => new(
        query.Text("display_name", most: 256), query.OptionalFlag("enabled"), query.Text("notes", most: 1_024),
        query.OptionalFlag("show_on_leaderboard"), query.OptionalFlag("tos_acceptance") == true);

    private static UserFilter Filter(WireQuery query) =>
        new(query.Id("api_client_id"), query.Text("auth_method", most: 128), query.Text("search_text"));

    internal sealed record UserRange(string? From, Guid? FromId, string? To, Guid? ToId, UserFilter Filter, int Most);
}
