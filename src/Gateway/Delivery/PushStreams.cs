using System.Globalization;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Runs;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Delivery;

/// <summary>Channels as a stream of server-sent events, and over a WebSocket in RTLayer's protocol.</summary>
internal sealed class PushStreams(PushHub hub, Drain drain, TimeProvider time)
{
    private const int MaxFrame = 4096;

    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    /// <summary>How often who listens is asked for his credential again: it may have been revoked.</summary>
    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly byte[] Comment = ": keep-alive\n\n"u8.ToArray();

    /// <summary>One event for each message; its id is the message's, for <c>Last-Event-ID</c>.</summary>
    public async Task StreamAsync(HttpContext context, Guid organizationId, string channel, Func<ValueTask<bool>> mayListen)
    {
        var response = context.Response;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, drain.Begun);
        using var subscriber = hub.Open(organizationId);
        _ = long.TryParse(context.Request.Headers["Last-Event-ID"], NumberStyles.None, CultureInfo.InvariantCulture, out var seen);
        await subscriber.JoinAsync(channel, seen, either.Token);
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache, no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        try
        {
            await response.BodyWriter.WriteAsync(Comment, either.Token);
            await foreach (var message in ReadAsync(subscriber, mayListen, either.Token))
            {
                await response.BodyWriter.WriteAsync(message is null ? Comment : EventOf(message), either.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The client left, or we are about to; he comes back to another node.
        }
    }

    /// <summary>Client frames <c>{"action": "join" | "leave", "id"}</c>; ours are <c>{"channel", "message"}</c>.</summary>
    public async Task TalkAsync(WebSocket socket, Guid organizationId, Func<ValueTask<bool>> mayListen, CancellationToken ct)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct, drain.Begun);
        using var subscriber = hub.Open(organizationId);
        var listening = ListenAsync(socket, subscriber, ended.Token);
        var telling = TellAsync(socket, subscriber, mayListen, ended.Token);
        await Task.WhenAny(listening, telling);
        await ended.CancelAsync();
        await Task.WhenAll(listening, telling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await CloseAsync(socket);
    }

    private static async Task ListenAsync(WebSocket socket, PushSubscriber subscriber, CancellationToken ct)
    {
        var frame = new byte[MaxFrame];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(frame.AsMemory(length), ct);
                length += part.Count;
                if (part.MessageType == WebSocketMessageType.Close || (length == MaxFrame && !part.EndOfMessage))
                {
                    return;
                }
            }
            while (!part.EndOfMessage);
            var (action, channel) = ReadFrame(frame.AsSpan(0, length));
            if (channel is null)
            {
                continue;
            }
            if (action == "leave")
            {
                subscriber.Leave(channel);
            }
            else if (action == "join" && !await subscriber.JoinAsync(channel, seen: 0, ct))
            {
                return;
            }
        }
    }

    private async Task TellAsync(WebSocket socket, PushSubscriber subscriber, Func<ValueTask<bool>> mayListen, CancellationToken ct)
    {
        await foreach (var message in ReadAsync(subscriber, mayListen, ct))
        {
            if (message is null)
            {
                // The socket sends signs of life of its own.
                continue;
            }
            var frame = new JsonObject { ["channel"] = message.Channel, ["message"] = message.Text };
            await socket.SendAsync(Encoding.UTF8.GetBytes(frame.Compact()), WebSocketMessageType.Text, endOfMessage: true, ct);
        }
    }

    /// <summary>Whatever is no frame of the protocol is passed over.</summary>
    private static (string? Action, string? Channel) ReadFrame(ReadOnlySpan<byte> frame)
    {
        try
        {
            var json = JsonNode.Parse(frame) as JsonObject;
            var (action, channel) = (json?["action"] as JsonValue, json?["id"] as JsonValue);
            if (action?.TryGetValue<string>(out var verb) == true && channel?.TryGetValue<string>(out var name) == true)
            {
                PushPublisher.CheckChannel(name);
                return (verb, name);
            }
        }
        catch (Exception exception) when (exception is JsonException or Failure or ArgumentException)
        {
            // Answered with nothing, as the original does.
        }
        return (null, null);
    }

    private async Task CloseAsync(WebSocket socket)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, patience.Token);
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            // He is gone already.
        }
    }

    /// <summary>
    /// Each message, and null when it is time for a sign of life; ends when he may no longer listen, or reads too slowly.
    /// </summary>
    private async IAsyncEnumerable<PushMessage?> ReadAsync(
        PushSubscriber subscriber, Func<ValueTask<bool>> mayListen, [EnumeratorCancellation] CancellationToken ct)
    {
        var checkedAt = time.GetTimestamp();
        while (await NextAsync(subscriber, ct) is var hasMore and not false)
        {
            if (time.GetElapsedTime(checkedAt) >= CheckEvery)
            {
                if (!await mayListen())
                {
                    yield break;
                }
                checkedAt = time.GetTimestamp();
            }
            if (hasMore is null)
            {
                yield return null;
            }
            while (subscriber.TryRead(out var message))
            {
                yield return message;
            }
        }
    }

    /// <summary>True when there is a message, false when there will be none, null when it is time for a sign of life.</summary>
    private async Task<bool?> NextAsync(PushSubscriber subscriber, CancellationToken ct)
    {
        using var silence = new CancellationTokenSource(KeepAlive, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, silence.Token);
        try
        {
            return await subscriber.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return null;
        }
    }

    private static byte[] EventOf(PushMessage message)
    {
        var text = new StringBuilder();
        if (message.Id != 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"id: {message.Id}\n");
        }
        foreach (var line in message.Text.AsSpan().EnumerateLines())
        {
            text.Append("data: ").Append(line).Append('\n');
        }
        return Encoding.UTF8.GetBytes(text.Append('\n').ToString());
    }
}
