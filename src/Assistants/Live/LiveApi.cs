using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Auth;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Live;

/// <summary>What happens to a user's tasks, as server-sent events by the names of the original's sockets.</summary>
internal static class LiveApi
{
    public static void MapLive(this IEndpointRouteBuilder routes) => routes.MapGet("/events", ListenAsync)
        .WithTags("Live events").WithSummary("Hear of what happens, in one session or in all").RequireMojodexUser();

    internal static async Task<ServerSentEventsResult<JsonElement>> ListenAsync(
        [FromQuery(Name = "session_id")] string? sessionId, [FromHeader(Name = "Last-Event-ID")] string? lastEventId, HttpContext context,
        MojodexCaller caller, AssistantsDb db, LiveFeed feed, LiveStream stream, CancellationToken ct)
    {
        var user = caller.UserId!;
        if (sessionId is not null && (sessionId.Contains('\0', StringComparison.Ordinal)
            || !await db.Sessions.AnyAsync(session => session.Id == sessionId && session.UserId == user && !session.IsDeleted, ct)))
        {
            throw Failure.NotFound("Session");
        }
        // Before the answer begins: too many is still a failure then. And before the newest is looked up: nothing falls in between.
        var listener = feed.Open(user);
        context.Response.RegisterForDispose(listener);
        var after = long.TryParse(lastEventId, NumberStyles.None, CultureInfo.InvariantCulture, out var seen)
            ? seen : await feed.NewestAsync(user, ct);
        return TypedResults.ServerSentEvents(
            stream.ReadAsync(listener, sessionId, after, context.Request.Headers.Authorization.ToString(), ct));
    }
}

internal sealed class LiveStream(LiveFeed feed, MojodexTokens tokens, Drain drain, TimeProvider time)
{
    internal static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    private static readonly JsonElement Nothing = JsonElement.Parse("{}");

    /// <summary>Until the client leaves, his token is over, or this host stops; he comes back with the last id that he has seen.</summary>
    public async IAsyncEnumerable<SseItem<JsonElement>> ReadAsync(
        LiveFeed.Listener listener, string? sessionId, long after, string token, [EnumeratorCancellation] CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, drain.Begun);
        // Its headers go out at once, so that he knows that he listens.
        yield return new(Nothing, "listening") { EventId = after.ToString(CultureInfo.InvariantCulture) };
        while (!either.IsCancellationRequested && (await tokens.ReadAsync(token, ct)).UserId is not null)
        {
            List<LiveEvent> page;
            do
            {
                page = await feed.ReadAsync(listener.UserId, sessionId, after, ct);
                foreach (var happened in page)
                {
                    after = happened.Id;
                    yield return new(JsonElement.Parse(happened.Data), happened.Name)
                    {
                        EventId = after.ToString(CultureInfo.InvariantCulture),
                    };
                }
            }
            while (page.Count > 0);
            if (await HasNewsAsync(listener, either.Token) is null)
            {
                yield return new(Nothing, "heartbeat");
            }
        }
    }

    /// <summary>True when there may be something to read, null when it is time for a sign of life, false when it is over.</summary>
    private async Task<bool?> HasNewsAsync(LiveFeed.Listener listener, CancellationToken ct)
    {
        using var silence = new CancellationTokenSource(Heartbeat, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, silence.Token);
        try
        {
            await listener.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return ct.IsCancellationRequested ? false : null;
        }
    }
}
