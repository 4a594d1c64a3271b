using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Learning.Auth;
using Stoa.Platform.Http;

namespace Stoa.Learning.Generation;

/// <summary>
/// <c>/ws/course/{course_id}/generation</c>: the events of a course that is being made. What clients send (pings) is passed over. Whoever
/// may not listen is told by the number of the close, since a browser shows its page nothing else.
/// </summary>
internal static class GenerationSocket
{
    private const int Unauthenticated = 4401;
    private const int Refused = 4403;

    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static void MapGenerationSocket(this IEndpointRouteBuilder routes)
    {
        var socket = routes.CreateApplicationBuilder();
        socket.UseWebSockets(new() { KeepAliveInterval = PingEvery, KeepAliveTimeout = PingEvery });
        socket.Run(TalkAsync);
        var talk = socket.Build();
        routes.MapGet(
            "/ws/course/{course_id}/generation", (HttpContext context, [FromRoute(Name = "course_id")] int courseId) => talk(context))
            .AllowAnyone().WithTags("ai").WithSummary("Listen to the generation of a course, over a WebSocket");
    }

    private static async Task TalkAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            throw Failure.NotFound("WebSocket");
        }
        var courseId = int.Parse((string)context.GetRouteValue("course_id")!, CultureInfo.InvariantCulture);
        var refusal = await RefusalAsync(context, courseId, context.RequestServices, context.RequestAborted);
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        if (refusal is { } code)
        {
            await CloseAsync(socket, (WebSocketCloseStatus)code, time);
            return;
        }
        var drain = context.RequestServices.GetRequiredService<Drain>();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, drain.Begun);
        using var listener = context.RequestServices.GetRequiredService<GenerationEvents>().Listen(courseId);
        var telling = TellAsync(socket, listener, context.RequestServices, ended.Token);
        var listening = ListenAsync(socket, ended.Token);
        var watching = RefusedLaterAsync(context, courseId, time, ended.Token);
        var first = await Task.WhenAny(telling, listening, watching);
        var status = first == watching && watching.IsCompletedSuccessfully
            ? (WebSocketCloseStatus)await watching : WebSocketCloseStatus.NormalClosure;
        // Before the reading is given up, which breaks the connection.
        await CloseAsync(socket, status, time);
        await ended.CancelAsync();
        await Task.WhenAll(telling, listening, watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Null for who may listen: the admins of the course's organization.</summary>
    private static async Task<int?> RefusalAsync(HttpContext context, int courseId, IServiceProvider services, CancellationToken ct)
    {
        try
        {
            var access = Access.Of(await LearningAccess.CallerAsync(context, allowService: false), services);
            (await access.CourseAsync(courseId, ct)).RequireAdmin();
            return null;
        }
        catch (Failure failure) when (failure.Kind is FailureKind.Unauthenticated or FailureKind.Forbidden or FailureKind.NotFound)
        {
            return failure.Kind == FailureKind.Unauthenticated ? Unauthenticated : Refused;
        }
    }

    /// <summary>Ends when who may listen may no more: his credential is over, or he does not run the school any longer.</summary>
    private static async Task<int> RefusedLaterAsync(HttpContext context, int courseId, TimeProvider time, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(AskAgainAfter, time);
        while (await timer.WaitForNextTickAsync(ct))
        {
            await using var scope = context.RequestServices.CreateAsyncScope();
            if (await RefusalAsync(context, courseId, scope.ServiceProvider, ct) is { } refusal)
            {
                return refusal;
            }
        }
        throw new OperationCanceledException(ct);
    }

    private static async Task TellAsync(
        WebSocket socket, GenerationEvents.Listener listener, IServiceProvider services, CancellationToken ct)
    {
        var db = services.GetRequiredService<LearningDb>();
        if (await IsRunningAsync(db, listener.CourseId, ct)
            && await GenerationEvents.CountersAsync(db, listener.CourseId, ct) is { } counters)
        {
            await SendAsync(socket, counters.ToJsonString(), ct);
        }
        await foreach (var happened in listener.Events.ReadAllAsync(ct))
        {
            await SendAsync(socket, happened, ct);
        }
    }

    private static Task<bool> IsRunningAsync(LearningDb db, int courseId, CancellationToken ct) =>
        db.TaskGenerationJobs.AnyAsync(job => job.CourseId == courseId && job.Status == TaskGenerationStatus.Started, ct);

    private static ValueTask SendAsync(WebSocket socket, string text, CancellationToken ct) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text).AsMemory(), WebSocketMessageType.Text, endOfMessage: true, ct);

    private static async Task ListenAsync(WebSocket socket, CancellationToken ct)
    {
        var frame = new byte[1_024];
        while ((await socket.ReceiveAsync(frame.AsMemory(), ct)).MessageType != WebSocketMessageType.Close)
        {
        }
    }

    private static async Task CloseAsync(WebSocket socket, WebSocketCloseStatus status, TimeProvider time)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(status, null, patience.Token);
            }
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or IOException)
        {
            // Nobody is there to be told.
        }
    }
}
