using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback.Messages;

/// <summary>Messages, by the ids that the calling client gave them.</summary>
internal static class FrontendMessagesApi
{
    public static void MapFrontendMessages(this IEndpointRouteBuilder routes)
    {
        var messages = routes.MapGroup("/frontend_messages/{message_id}").WithTags("frontend_messages").RequireApiClient();
        messages.MapGet("", GetAsync).WithSummary("A message by the client's own id");
        messages.MapGet("/conversation", ConversationAsync).WithSummary("From the root to the message");
        messages.MapGet("/tree", TreeAsync).TakesQuery(MessagesApi.Shown).WithSummary("The whole tree of the message");
        messages.MapGet("/children", ChildrenAsync).WithSummary("The undeleted replies to the message");
        messages.MapGet("/descendants", DescendantsAsync).WithSummary("All below the message, depth first");
        messages.MapGet("/longest_conversation_in_tree", LongestAsync).WithSummary("To the deepest accepted message");
        messages.MapGet("/max_children_in_tree", MostChildrenAsync).WithSummary("The accepted message with the most replies");
    }

    internal static async Task<Ok<WireMessage>> GetAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.OneAsync(await views.IdOfAsync(client.Id, messageId, ct), actingId: null, ct));

    internal static async Task<Ok<Conversation>> ConversationAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.ConversationAsync(await views.IdOfAsync(client.Id, messageId, ct), actingId: null, ct));

    internal static async Task<Ok<MessageTree>> TreeAsync(
        [FromRoute(Name = "message_id")] string messageId, HttpRequest request, ApiClient client, MessageViews views, CancellationToken ct)
    {
        var (withSpam, withDeleted) = WireQuery.Read(request, MessagesApi.Shown);
        return TypedResults.Ok(
            await views.TreeAsync(await views.IdOfAsync(client.Id, messageId, ct), withSpam, withDeleted, actingId: null, ct));
    }

    internal static async Task<Ok<IReadOnlyList<WireMessage>>> ChildrenAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.ChildrenAsync(await views.IdOfAsync(client.Id, messageId, ct), actingId: null, ct));

    internal static async Task<Ok<MessageTree>> DescendantsAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.DescendantsAsync(await views.IdOfAsync(client.Id, messageId, ct), actingId: null, ct));

    internal static async Task<Ok<Conversation>> LongestAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.LongestAsync(await views.IdOfAsync(client.Id, messageId, ct), actingId: null, ct));

    internal static async Task<Ok<MessageTree>> MostChildrenAsync(
        [FromRoute(Name = "message_id")] string messageId, ApiClient client, MessageViews views, CancellationToken ct) =>
        TypedResults.Ok(await views.MostChildrenAsync(await views.IdOfAsync(client.Id, messageId, ct), actingId: null, ct));
}
