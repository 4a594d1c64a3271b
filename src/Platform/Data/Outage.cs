using System.Net.Sockets;
using Npgsql;

namespace Stoa.Platform.Data;

/// <summary>Tells a database that is away, restarting or full from one that refuses what we ask.</summary>
public static class Outage
{
    public static bool Is(Exception exception) => exception switch
    {
        // 08 connection, 25006 read-only after a failover, 40 rolled back, 53 resources, 55 in use, 57 operator, 58 system
        PostgresException refused => refused.IsTransient || refused.SqlState is "25006" ||
            refused.SqlState[..2] is "08" or "40" or "53" or "55" or "57" or "58",
        NpgsqlException or IOException or SocketException or TimeoutException => true,
        _ => false,
    };
}
