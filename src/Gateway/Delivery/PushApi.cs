using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.Runs;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Delivery;

/// <summary>
/// Channels over HTTP, in RTLayer's form where it has one. A channel belongs to the organization of whoever publishes; whoever listens
/// hears those of his own, whatever account the path of the socket names.
/// </summary>
internal static class PushApi
{
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(15);

    public static void MapPush(this IEndpointRouteBuilder routes)
    {
        var push = routes.MapGroup("").WithGroupName("gateway").WithErrors(RuntimeErrors.Instance).WithTags("Push").AllowAnyOrigin();
        push.MapPost("/rtlayer/message", PublishAsync).RequireGtwyCallerAlsoBy("apiKey")
            .TakesObject().WithSummary("Publish a message to a channel");
        push.MapGet("/api/stream/{channel}", StreamAsync).RequireGtwyCallerAlsoBy("token")
            .WithSummary("Listen to a channel: server-sent events, the last message first while its time is not over")
            .Produces(StatusCodes.Status200OK, contentType: "text/event-stream");

        var socket = routes.CreateApplicationBuilder();
        socket.UseWebSockets(new() { KeepAliveInterval = PingEvery, KeepAliveTimeout = PingEvery });
        socket.Run(TalkAsync);
        push.MapGet("/rtlayer/{org}/{service}", socket.Build()).RequireGtwyCallerAlsoBy("token").ExcludeFromDescription();
    }

    internal static async Task<Ok<Published>> PublishAsync(GtwyBody body, GtwyCaller caller, PushPublisher push, CancellationToken ct)
    {
        var message = body.Members;
        var text = (message["message"] ?? throw Failure.Invalid("message must be given", "message")).AsWords();
        await push.PublishAsync(
            caller.OrganizationId, message.Text("channel") ?? "", text, (int)(message["ttl"].AsNumber() ?? 0), apiKey: null, ct);
        return TypedResults.Ok(new Published(Success: true));
    }

    internal static Task StreamAsync(string channel, HttpContext context, GtwyCaller caller, PushStreams streams)
    {
        PushPublisher.CheckChannel(channel);
        return streams.StreamAsync(context, caller.OrganizationId, channel, () => GtwyAccess.IsStillGoodAsync(context, "token"));
    }

    private static async Task TalkAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            throw Failure.Invalid("This is a WebSocket");
        }
        var caller = (await context.SurfaceCaller<GtwyCaller>())!;
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await context.RequestServices.GetRequiredService<PushStreams>().TalkAsync(
            socket, caller.OrganizationId, () => GtwyAccess.IsStillGoodAsync(context, "token"), context.RequestAborted);
    }

    internal sealed record Published(bool Success);
}
