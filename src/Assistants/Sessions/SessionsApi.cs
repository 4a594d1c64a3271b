using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Users;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Sessions;

/// <summary>Conversations of a user.</summary>
internal static class SessionsApi
{
    public static readonly string[] Platforms = ["webapp", "chrome", "outlook", "mobile"];

    public static void MapSessions(this IEndpointRouteBuilder surface)
    {
        var sessions = surface.MapGroup("/session").WithTags("user");
        sessions.MapPut("", CreateAsync).RequireMojodexUser().WithSummary("Create a session");
        sessions.MapGet("", ListAsync).RequireMojodexUser().WithSummary("List chat sessions");
        sessions.MapPost("", RenameAsync).RequireMojodexUserOrService(MojodexService.Background)
            .WithSummary("Rename a session; a program only when it has no title");
        sessions.MapDelete("", DeleteAsync).RequireMojodexUser().WithSummary("Delete a session");
    }

    internal static async Task<Ok<CreatedSession>> CreateAsync(
        Body<NewSession> body, MojodexCaller caller, UserStore users, SessionStore sessions, AssistantsDb db, CancellationToken ct)
    {
        var user = await users.ReadyAsync(caller.UserId!, ct);
        var session = sessions.Add(user, body.Value.Platform, SessionMode.Chat);
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new CreatedSession(session.Id, user.OnboardingPresentedAt is not null));
    }

    internal static async Task<Ok<SessionList>> ListAsync(
        Query<Page> query, MojodexCaller caller, SessionStore sessions, CancellationToken ct) =>
        TypedResults.Ok(new SessionList(await sessions.ListAsync(caller.UserId!, query.Value.Most, query.Value.Offset, ct)));

    internal static async Task<Ok<NamedSession>> RenameAsync(
        Body<NewTitle> body, MojodexCaller caller, SessionStore sessions, CancellationToken ct)
    {
        var (id, title) = (body.Value.SessionId, body.Value.Title);
        if (caller.UserId is { } user)
        {
            return await sessions.RenameAsync(user, id, title, ct) ? Named(id) : throw SessionStore.Unknown(id);
        }
        return await sessions.NameAsync(id, title, ct) switch
        {
            true => Named(id),
            false => throw Failure.Invalid("Session already has a title"),
            null => throw SessionStore.Unknown(id),
        };
    }

    internal static async Task<Ok<NamedSession>> DeleteAsync(
        Query<WantedSession> query, MojodexCaller caller, SessionStore sessions, CancellationToken ct) =>
        await sessions.DeleteAsync(caller.UserId!, query.Value.SessionId, ct)
            ? Named(query.Value.SessionId) : throw Failure.NotFound("Session");

    private static Ok<NamedSession> Named(string id) => TypedResults.Ok(new NamedSession(id));

    internal sealed record CreatedSession(string SessionId, bool IntroDone);

    internal sealed record NamedSession(string SessionId);

    internal sealed record SessionList(IReadOnlyList<SessionView> Sessions);

    internal sealed record SessionView(string? Title, string SessionId);

    internal sealed record NewSession(string Platform) : IArguments<NewSession>
    {
        public static NewSession Read(Fields fields) => new(fields.Choice("platform", Platforms));
    }

    internal sealed record Page(int Most, int Offset) : IArguments<Page>
    {
        public static Page Read(Fields fields) => new(fields.PageSize("n_sessions"), fields.Offset());
    }

    internal sealed record NewTitle(string SessionId, string Title) : IArguments<NewTitle>
    {
        public static NewTitle Read(Fields fields) =>
            new(fields.Text("session_id", Fields.ShortText), fields.Text("title", Fields.ShortText));
    }

    internal sealed record WantedSession(string SessionId) : IArguments<WantedSession>
    {
        public static WantedSession Read(Fields fields) => new(fields.Text("session_id", Fields.ShortText));
    }
}
