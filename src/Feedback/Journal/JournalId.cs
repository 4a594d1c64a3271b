using System.Buffers.Binary;

namespace Stoa.Feedback.Journal;

/// <summary>
/// UUIDs version 7 that keep the order in which they are made, also within a millisecond: what is noted of a tree is noted under its lock,
/// so the order of the ids is the order of what happened.
/// </summary>
internal static class JournalId
{
    private static long last;

    public static Guid Next(DateTimeOffset now)
    {
        var ticks = Later(now.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks);
        var milliseconds = ticks / TimeSpan.TicksPerMillisecond;
        var rest = (int)(ticks % TimeSpan.TicksPerMillisecond);
        Span<byte> bytes = stackalloc byte[16];
        Random.Shared.NextBytes(bytes);
        BinaryPrimitives.WriteInt64BigEndian(bytes, milliseconds << 16);
        // The 14 bits of the rest: twelve behind the version, two behind the variant.
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], (ushort)(0x7000 | (rest >> 2)));
        bytes[8] = (byte)(0x80 | ((rest & 3) << 4) | (bytes[8] & 0x0F));
        return new(bytes, bigEndian: true);
    }

    private static long Later(long ticks)
    {
        while (true)
        {
            var before = Volatile.Read(ref last);
            var next = Math.Max(ticks, before + 1);
            if (Interlocked.CompareExchange(ref last, next, before) == before)
            {
                return next;
            }
        }
    }
}
