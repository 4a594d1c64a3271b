using System.Net.Sockets;

namespace Stoa.Platform.Egress;

/// <summary>How HTTP clients connect, so that whatever goes wrong is an <see cref="HttpRequestException"/>.</summary>
public static class Connections
{
    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    public static ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct) =>
        ConnectAsync(socket => socket.ConnectAsync(context.DnsEndPoint, ct));

    /// <summary>For those who say themselves where the new socket goes.</summary>
    public static async ValueTask<Stream> ConnectAsync(Func<Socket, ValueTask> connect)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await connect(socket);
            // The client asks for it later, where it lets through what the socket throws when the connection was reset meanwhile. Once
            // known it stays known.
            _ = socket.RemoteEndPoint;
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
