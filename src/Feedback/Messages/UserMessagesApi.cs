using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Messages;

/// <summary>The messages of one user, by his id or by the name that the client knows.</summary>
internal static class UserMessagesApi
{
    public static void MapUserMessages(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/users/{user_id}/messages").WithTags("users");
        users.MapGet("", ListAsync).TakesQuery(ListFilter).RequireApiClient().WithSummary("List a user's messages by date");
        users.MapGet("/cursor", PageAsync).TakesQuery(PageFilter).RequireApiClient().WithSummary("A page of a user's messages");
        users.MapDelete("", DeleteAsync).RequireTrustedClient().WithSummary("Delete all messages of a user, and all below them")
            .Produces(StatusCodes.Status204NoContent);
        var frontend = routes.MapGroup("/frontend_users/{auth_method}/{username}/messages").WithTags("frontend_users");
        frontend.MapGet("", ListNamedAsync).TakesQuery(ListFilter).RequireApiClient().WithSummary("List a user's messages by date");
        frontend.MapGet("/cursor", PageNamedAsync).TakesQuery(PageFilter).RequireApiClient().WithSummary("A page of a user's messages");
        frontend.MapDelete("", DeleteNamedAsync).RequireTrustedClient().WithSummary("Delete all messages of a user, and all below them")
            .Produces(StatusCodes.Status204NoContent);
    }

    internal static async Task<Ok<IReadOnlyList<WireMessage>>> ListAsync(
        [FromRoute(Name = "user_id")] string userId, HttpRequest request,
        ApiClient client, Acting acting, MessageLists lists, CancellationToken ct)
    {
        var filter = WireQuery.Read(request, ListFilter) with { UserId = WireQuery.PathId(userId, "user_id") };
        return TypedResults.Ok(await lists.ListAsync(filter.For(client), acting.UserId, ct));
    }

    internal static async Task<Ok<PageResult<WireMessage>>> PageAsync(
        [FromRoute(Name = "user_id")] string userId, HttpRequest request,
        ApiClient client, Acting acting, MessageLists lists, CancellationToken ct)
    {
        var (filter, before, after) = WireQuery.Read(request, PageFilter);
        var own = filter with { UserId = WireQuery.PathId(userId, "user_id") };
        return TypedResults.Ok(await lists.PageAsync(own.For(client), before, after, acting.UserId, ct));
    }

    internal static async Task<NoContent> DeleteAsync(
        [FromRoute(Name = "user_id")] string userId, ApiClient client, Acting acting, MessageActs acts, CancellationToken ct)
    {
        await acts.DeleteOfAsync(client, WireQuery.PathId(userId, "user_id"), ct);
        return TypedResults.NoContent();
    }

    /// <summary>The named user is the acting one too.</summary>
    internal static async Task<Ok<IReadOnlyList<WireMessage>>> ListNamedAsync(
        [FromRoute(Name = "auth_method")] string authMethod, string username,
        HttpRequest request, ApiClient client, UserStore users, MessageLists lists,
        CancellationToken ct)
    {
        var filter = WireQuery.Read(request, ListFilter);
        var user = await users.RequireAsync(client, new(authMethod, username), ct);
        return TypedResults.Ok(await lists.ListAsync((filter with { UserId = user.Id }).For(client), user.Id, ct));
    }

    internal static async Task<Ok<PageResult<WireMessage>>> PageNamedAsync(
        [FromRoute(Name = "auth_method")] string authMethod, string username,
        HttpRequest request, ApiClient client, Acting acting, MessageLists lists,
        CancellationToken ct)
    {
        var (filter, before, after) = WireQuery.Read(request, PageFilter);
        var named = filter with { AuthMethod = authMethod, Username = username };
        return TypedResults.Ok(await lists.PageAsync(named.For(client), before, after, acting.UserId, ct));
    }

    /// <summary>Only of the client's own user.</summary>
    /// <exception cref="Failure">4002.</exception>
    internal static async Task<NoContent> DeleteNamedAsync(
        [FromRoute(Name = "auth_method")] string authMethod, string username,
        ApiClient client, UserStore users, MessageActs acts, CancellationToken ct)
    {
        await acts.DeleteOfAsync(client, (await users.RequireAsync(client, new(authMethod, username), ct)).Id, ct);
        return TypedResults.NoContent();
    }

    private static MessageFilter ListFilter(WireQuery query) => Common(query) with
    {
        ClientId = query.Id("api_client_id"),
        From = query.Instant("start_date"),
        To = query.Instant("end_date"),
        IsDescending = query.Flag("desc", otherwise: true),
    };

    private static (MessageFilter Filter, string? Before, string? After) PageFilter(WireQuery query) =>
        (Common(query) with { IsDescending = query.Flag("desc", otherwise: false) }, query.Text("before"), query.Text("after"));

    private static MessageFilter Common(WireQuery query) => new()
    {
        OnlyRoots = query.Flag("only_roots", otherwise: false),
        WithDeleted = query.Flag("include_deleted", otherwise: false),
        Lang = query.Text("lang"),
        Most = query.Integer("max_count", otherwise: 10, least: 1, most: 1_000),
    };
}
