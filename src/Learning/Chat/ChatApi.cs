using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Stoa.Learning.Auth;
using Stoa.Learning.Tasks;
using Stoa.Learning.Tutor;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Chat;

/// <summary>Conversations with the tutor. The client keeps them here turn by turn; it says itself when something is done.</summary>
internal static class ChatApi
{
    private const int MaxPage = 10_000;

    public static void MapChat(this IEndpointRouteBuilder routes)
    {
        var chat = routes.MapGroup("/chat").WithTags("chat");
        chat.MapPost("/", AddAsync).RequireLearner().WithSummary("Store turns of a conversation, and note that it is done");
        chat.MapGet("/", OfOrganizationAsync).RequireLearner().WithSummary("List what was said about the questions of an organization");
        chat.MapDelete("/", RemoveAllAsync).RequireLearner().WithSummary("Delete every conversation, where the settings allow it");
        chat.MapGet("/user/{user_id}/task/{task_id}", OfTaskAsync).RequireLearner()
            .WithSummary("Read a learner's conversations about a task");
    }

    internal static async Task<Ok<List<ChatMessage>>> AddAsync(
        Access access, Body<NewMessages> body, TaskVisibility visibility, ChatStore chats, CancellationToken ct)
    {
        var messages = body.Value;
        messages.Check();
        var standing = messages.QuestionId is { } question ? await access.QuestionAsync(question, ct)
            : await access.TaskAsync(messages.TaskId!.Value, ct);
        standing.RequireSelf(messages.UserId);
        var about = await chats.AboutAsync(messages.QuestionId, messages.TaskId, ct);
        if (!standing.IsAdmin)
        {
            await visibility.RequireAsync(standing, about.TaskId, ct);
        }
        return TypedResults.Ok(await chats.AddAsync(about, messages, ct));
    }

    internal static async Task<Ok<List<ChatMessage>>> OfOrganizationAsync(
        Access access, ChatStore chats, HttpResponse response, [FromQuery(Name = "org_id")] int orgId, CancellationToken ct,
        [FromQuery(Name = "after")] int? after = null, [FromQuery(Name = "limit")] int limit = MaxPage)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireAdmin();
        var (page, hasMore) = await chats.OfOrganizationAsync(orgId, after, Math.Clamp(limit, 1, MaxPage), ct);
        if (hasMore)
        {
            // Beside the array, which is all that the original's clients know.
            response.Headers.Link =
                string.Create(CultureInfo.InvariantCulture, $"<?org_id={orgId}&after={page[^1].Id}&limit={limit}>; rel=\"next\"");
        }
        return TypedResults.Ok(page);
    }

    internal static async Task<Ok<List<ChatMessage>>> OfTaskAsync(
        Access access, ChatStore chats, [FromRoute(Name = "user_id")] int userId,
        [FromRoute(Name = "task_id")] int taskId, CancellationToken ct)
    {
        (await access.TaskAsync(taskId, with: userId, ct)).RequireSelfOrStaff(userId);
        return TypedResults.Ok(await chats.OfTaskAsync(userId, taskId, ct));
    }

    internal static async Task<Ok<Message>> RemoveAllAsync(
        Access access, ChatStore chats, IOptions<TutorOptions> options, CancellationToken ct)
    {
        var standing = await access.CallerAsync(ct);
        standing.Require(options.Value.AllowsDeletingAllChats && standing.IsOperator);
        await chats.RemoveAllAsync(ct);
        return TypedResults.Ok(new Message("All chat history deleted"));
    }

    internal sealed record NewMessages
    {
        private const int MaxMessages = 100;
        private const int MaxContent = 400_000;

        public required List<NewMessage> Messages { get; init; }

        public required int UserId { get; init; }

        public int? QuestionId { get; init; }

        public int? TaskId { get; init; }

        public required bool IsComplete { get; init; }

        /// <exception cref="Platform.Http.Failure">400, 422.</exception>
        public void Check()
        {
            if (QuestionId is null && TaskId is null)
            {
                throw Refusal.BadRequest("Either question_id or task_id must be provided");
            }
            if (Messages.Count > MaxMessages)
            {
                throw WireErrors.Value($"at most {MaxMessages} messages at once", "messages");
            }
            if (Messages.FindIndex(message => message.Content?.Length > MaxContent) is >= 0 and var index)
            {
                throw WireErrors.Value($"at most {MaxContent} characters", "messages", index, "content");
            }
        }
    }

    internal sealed record NewMessage
    {
        public required ChatRole Role { get; init; }

        public string? Content { get; init; }

        public ChatResponseType? ResponseType { get; init; }

        public required DateTimeOffset CreatedAt { get; init; }
    }
}

/// <summary>One turn as the wire shows it.</summary>
/// <param name="CreatedAt">As the client gave it, in UTC; not later than it came.</param>
internal sealed record ChatMessage(
    int Id, [property: JsonConverter(typeof(WireClientInstant))] DateTimeOffset CreatedAt,
    int UserId, int? QuestionId, int? TaskId, ChatRole Role,
    string? Content, ChatResponseType? ResponseType);
