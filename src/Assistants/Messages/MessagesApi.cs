using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Sessions;
using Stoa.Assistants.Users;
using Stoa.Assistants.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Messages;

/// <summary>What is said in sessions.</summary>
internal static class MessagesApi
{
    // The same message was sent before, and is being written down.
    private static readonly JsonElement Processing = JsonElement.Parse("""{"status":"processing"}""");

    public static void MapMessages(this IEndpointRouteBuilder surface)
    {
        surface.MapPut("/user_message", SendAsync).RequireMojodexUser().DisableAntiforgery().WithTags("user").WithSummary("Say something");
        surface.MapGet("/message", ListAsync).RequireMojodexUser().WithTags("user").WithSummary("Read the messages of a session");
        surface.MapPut("/mojo_message", SayAsync).RequireMojodexService(MojodexService.Background).WithTags("callback")
            .WithMetadata(WireTexts.Callback).WithSummary("Have the assistant say something");
    }

    internal static async Task<Ok<JsonElement>> SendAsync(
        Form<NewMessage> form, MojodexCaller caller, HttpContext context, UserStore users,
        UserMessages messages, SpokenMessages spoken, CancellationToken ct)
    {
        var said = form.Value;
        if (said.Text is null && form.Files.Count == 0)
        {
            throw Failure.Invalid(WireTexts.User.Missing("text"), "text");
        }
        var user = await users.FindAsync(caller.UserId!, ct) ?? throw UserStore.Gone();
        if (said.Text is null && await messages.IsNewAsync(user, said, ct))
        {
            if (await spoken.WriteDownAsync(user, said, form.Files[0], context.RequestId(), ct) is not { } text)
            {
                return TypedResults.Ok(Processing);
            }
            said = said with { Text = text, IsSpoken = true };
        }
        return TypedResults.Ok(JsonElement.Parse(await messages.SaveAsync(user, said, ct)));
    }

    internal static async Task<Ok<MessageList>> ListAsync(
        Query<Page> query, MojodexCaller caller, SessionStore sessions, MessageStore messages, CancellationToken ct)
    {
        var page = query.Value;
        var session = await sessions.FindAsync(caller.UserId!, page.SessionId, ct) ?? throw Failure.NotFound("Session");
        var found = await messages.ReadAsync(session.Id, page, ct);
        return TypedResults.Ok(new MessageList(found.ConvertAll(ViewOf)));
    }

    internal static async Task<Ok<SaidMessage>> SayAsync(Body<NewMojoMessage> body, AnswerStore answers, CancellationToken ct) =>
        TypedResults.Ok(new SaidMessage(
            await answers.SayAsync(body.Value.SessionId, body.Value.Message, ct) ?? throw Failure.NotFound("Session")));

    private static MessageView ViewOf(MessageRow row)
    {
        var message = JsonElement.Parse(row.Message);
        var hasAudio = message.TryGetProperty("audio", out var audio) && audio.ValueKind is not (JsonValueKind.Null or JsonValueKind.False);
        return new(row.Id, EnumNames<MessageSender>.Write(row.Sender), message, hasAudio, row.InErrorAt is not null);
    }

    internal sealed record MessageList(IReadOnlyList<MessageView> Messages);

    internal sealed record MessageView(int MessagePk, string Sender, JsonElement Message, bool Audio, bool InErrorState);

    internal sealed record SaidMessage(int MessagePk);

    internal sealed record NewMessage(
        string SessionId, string MessageId, DateTimeOffset Date, string? Text, bool IsHomeChat, int? ExecutionId) : IArguments<NewMessage>
    {
        public static bool HasDatetime => false;

        /// <summary>The text was written down by a model.</summary>
        public bool IsSpoken { get; init; }

        public static NewMessage Read(Fields fields)
        {
            var message = new NewMessage(
                fields.Text("session_id", Fields.ShortText), fields.Text("message_id", Fields.ShortText), fields.Instant("message_date"),
                fields.OptionalText("text", Fields.LongText), fields.OptionalChoice("origin", "task", "home_chat") == "home_chat",
                fields.OptionalInteger("user_task_execution_pk"));
            fields.File("file");
            fields.Text("version");
            fields.OptionalText("platform");
            fields.OptionalInteger("message_pk");
            fields.OptionalText("use_message_placeholder");
            fields.OptionalText("use_draft_placeholder");
            return message;
        }
    }

    /// <param name="IsNewer">From the oldest on; else from the newest back. In the page the oldest comes first.</param>
    internal sealed record Page(string SessionId, int Most, int Offset, bool IsNewer) : IArguments<Page>
    {
        public static Page Read(Fields fields)
        {
            fields.OptionalInteger("user_task_execution_pk");
            return new(
                fields.Text("session_id", Fields.ShortText), fields.PageSize("n_messages"), fields.Offset(),
                fields.OptionalChoice("offset_direction", "older", "newer") == "newer");
        }
    }

    internal sealed record NewMojoMessage(string SessionId, JsonObject Message) : IArguments<NewMojoMessage>
    {
        public static NewMojoMessage Read(Fields fields)
        {
            var message = fields.Object("message");
            return new(fields.Text("session_id", Fields.ShortText), message);
        }
    }
}
