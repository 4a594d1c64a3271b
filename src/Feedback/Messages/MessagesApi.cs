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

/// <summary>Messages, by their ids.</summary>
internal static class MessagesApi
{
    public static void MapMessages(this IEndpointRouteBuilder routes)
    {
        var messages = routes.MapGroup("/messages").WithTags("messages");
        messages.MapGet("/", ListAsync).TakesQuery(List).RequireApiClient().WithSummary("List messages by date");
        messages.MapGet("/cursor", PageAsync).TakesQuery(Page).RequireApiClient()
            .WithSummary("A page of messages, found by words where a language is given");
        messages.MapGet("/{message_id}", GetAsync).RequireApiClient().WithSummary("A message, also a deleted one");
        messages.MapGet("/{message_id}/conversation", ConversationAsync).RequireApiClient().WithSummary("From the root to the message");
        messages.MapGet("/{message_id}/tree", TreeAsync).TakesQuery(Shown).RequireApiClient().WithSummary("The whole tree of the message");
        messages.MapGet("/{message_id}/tree/state", StateAsync).RequireApiClient().WithSummary("Where the tree of the message stands");
        messages.MapPut("/{message_id}/tree/state", HaltAsync).TakesQuery(Halts)
            .RequireTrustedClient().WithSummary("Halt the tree, or set it going again");
        messages.MapGet("/{message_id}/children", ChildrenAsync).RequireApiClient().WithSummary("The undeleted replies to the message");
        messages.MapGet("/{message_id}/descendants", DescendantsAsync).RequireApiClient().WithSummary("All below the message, depth first");
        messages.MapGet("/{message_id}/longest_conversation_in_tree", LongestAsync)
            .RequireApiClient().WithSummary("To the deepest accepted message");
        messages.MapGet("/{message_id}/max_children_in_tree", MostChildrenAsync)
            .RequireApiClient().WithSummary("The accepted message with the most replies");
        messages.MapDelete("/{message_id}", DeleteAsync).RequireTrustedClient().WithSummary("Delete the message and all below it")
            .Produces(StatusCodes.Status204NoContent);
        messages.MapPut("/{message_id}/undelete", RestoreAsync).RequireTrustedClient()
            .WithSummary("Bring the message and all above it back")
            .Produces(StatusCodes.Status202Accepted);
        messages.MapPost("/{message_id}/edit", EditAsync).RequireTrustedClient().WithSummary("Give the message a new text")
            .TakesBody(MessageEditRequest.Read);
        messages.MapGet("/{message_id}/history", HistoryAsync).RequireTrustedClient().WithSummary("The texts that the message has had");
        messages.MapPost("/{message_id}/emoji", MarkAsync).RequireApiClient().WithSummary("Put an emoji on the message, or take it away")
            .TakesBody(MessageEmojiRequest.Read).Produces<WireMessage>(StatusCodes.Status202Accepted);
    }

    internal static async Task<Ok<IReadOnlyList<WireMessage>>> ListAsync(
        HttpRequest request, ApiClient client, Acting acting, MessageLists lists, CancellationToken ct) =>
        TypedResults.Ok(await lists.ListAsync(WireQuery.Read(request, List).For(client), acting.UserId, ct));

    internal static async Task<Ok<PageResult<WireMessage>>> PageAsync(
        HttpRequest request, ApiClient client, Acting acting, MessageLists lists, CancellationToken ct)
    {
        var (filter, before, after) = WireQuery.Read(request, Page);
        return TypedResults.Ok(await lists.PageAsync(filter.For(client), before, after, acting.UserId, ct));
    }

    internal static async Task<Ok<WireMessage>> GetAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, Acting acting, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.OneAsync(Id(messageId), acting.UserId, ct));

    internal static async Task<Ok<Conversation>> ConversationAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, Acting acting, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.ConversationAsync(Id(messageId), acting.UserId, ct));

    internal static async Task<Ok<MessageTree>> TreeAsync(
        [FromRoute(Name = "message_id")] string messageId, HttpRequest request,
        ApiClient client, Acting acting, MessageViews views, CancellationToken ct)
    {
        var (withSpam, withDeleted) = WireQuery.Read(request, Shown);
        return TypedResults.Ok(await views.TreeAsync(Id(messageId), withSpam, withDeleted, acting.UserId, ct));
    }

    internal static async Task<Ok<MessageTreeStateResponse>> StateAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, Acting acting, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.StateAsync(Id(messageId), ct));

    internal static async Task<Ok<MessageTreeStateResponse>> HaltAsync(
        [FromRoute(Name = "message_id")] string messageId, HttpRequest request,
        ApiClient client, Acting acting, MessageActs acts, MessageViews views,
        CancellationToken ct)
    {
        var halts = WireQuery.Read(request, Halts);
        await acts.HaltAsync(client, Id(messageId), halts, ct);
        return TypedResults.Ok(await views.StateAsync(Id(messageId), ct));
    }

    internal static async Task<Ok<IReadOnlyList<WireMessage>>> ChildrenAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, Acting acting, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.ChildrenAsync(Id(messageId), acting.UserId, ct));

    internal static async Task<Ok<MessageTree>> DescendantsAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, Acting acting, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.DescendantsAsync(Id(messageId), acting.UserId, ct));

    internal static async Task<Ok<Conversation>> LongestAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, Acting acting, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.LongestAsync(Id(messageId), acting.UserId, ct));

    internal static async Task<Ok<MessageTree>> MostChildrenAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, Acting acting, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.MostChildrenAsync(Id(messageId), acting.UserId, ct));

    internal static async Task<NoContent> DeleteAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, Acting acting, MessageActs acts, CancellationToken ct)
    {
        await acts.DeleteAsync(client, Id(messageId), ct);
        return TypedResults.NoContent();
    }

    internal static async Task<ContentHttpResult> RestoreAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, Acting acting, MessageActs acts, CancellationToken ct)
    {
        await acts.RestoreAsync(client, Id(messageId), ct);
        return Null(StatusCodes.Status202Accepted);
    }

    internal static async Task<ContentHttpResult> EditAsync(
        [FromRoute(Name = "message_id")] string messageId, HttpContext context, ApiClient client, MessageActs acts, CancellationToken ct)
    {
        var request = await WireBody.ReadAsync(context, MessageEditRequest.Read);
        await acts.EditAsync(client, Id(messageId), request, ct);
        return Null(StatusCodes.Status200OK);
    }

    internal static async Task<Ok<IReadOnlyList<MessageRevision>>> HistoryAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, Acting acting, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.HistoryAsync(Id(messageId), acting.UserId, ct));

    internal static async Task<IResult> MarkAsync(
        [FromRoute(Name = "message_id")] string messageId, HttpContext context,
        ApiClient client, MessageActs acts, MessageViews views, CancellationToken ct)
    {
        var request = await WireBody.ReadAsync(context, MessageEmojiRequest.Read);
        var user = await acts.MarkAsync(client, Id(messageId), request, ct);
        return Results.Json(
            await views.OneAsync(Id(messageId), user.Id, ct), FeedbackJson.Default.WireMessage, statusCode: StatusCodes.Status202Accepted);
    }

    /// <exception cref="Failure">Invalid: it is no id.</exception>
    private static Guid Id(string messageId) => WireQuery.PathId(messageId, "message_id");

    private static MessageFilter List(WireQuery query) => Common(query) with
    {
        From = query.Instant("start_date"),
        To = query.Instant("end_date"),
        IsDescending = query.Flag("desc", otherwise: true),
        WithDeleted = query.Flag("allow_deleted", otherwise: false),
    };

    private static (MessageFilter Filter, string? Before, string? After) Page(WireQuery query) => (
        Common(query) with
        {
            UserId = query.Id("user_id"),
            WithDeleted = query.Flag("include_deleted", otherwise: false),
            IsDescending = query.Flag("desc", otherwise: false),
            Search = query.Text("search_query"),
            WithUser = query.Flag("include_user", otherwise: false),
        },
        query.Text("before"), query.Text("after"));

    /// <summary>Of a tree.</summary>
    public static (bool WithSpam, bool WithDeleted) Shown(WireQuery query) =>
        (query.Flag("include_spam", otherwise: true), query.Flag("include_deleted", otherwise: false));

    private static bool Halts(WireQuery query) => query.RequiredFlag("halt");

    private static MessageFilter Common(WireQuery query) => new()
    {
        AuthMethod = query.Text("auth_method"),
        Username = query.Text("username"),
        ClientId = query.Id("api_client_id"),
        OnlyRoots = query.Flag("only_roots", otherwise: false),
        Lang = query.Text("lang"),
        Most = query.Integer("max_count", otherwise: 10, least: 1, most: 1_000),
    };

    /// <summary>What the original answers where it has nothing to say.</summary>
    private static ContentHttpResult Null(int status) => TypedResults.Text("null", "application/json", statusCode: status);
}
