using System.Net;
using System.Net.Sockets;

namespace Stoa.Tests.Support;

/// <summary>
/// Ports for programs that are told theirs. They lie below those that the system gives away by itself, so that none is taken between the
/// look and the program's start by somebody who asked for any.
/// </summary>
internal static class FreePort
{
    private const int First = 20_000, Count = 12_000;

    private static int last = Random.Shared.Next(Count);

    public static int Next()
    {
        for (var tried = 0; tried < Count; tried++)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref last) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody's.
            }
        }
        throw new InvalidOperationException("No port is free");
    }
}
