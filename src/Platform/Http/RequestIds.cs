using System.Buffers;
using System.Buffers.Binary;
using Microsoft.AspNetCore.Http;

namespace Stoa.Platform.Http;

public static class RequestIds
{
    internal const string Header = "x-request-id";
    private const int LongestAccepted = 128;

    private static readonly SearchValues<char> Accepted =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+=@~");

    /// <summary>The id that the client sent, or the one we made; also in the answer's <c>x-request-id</c> and in our logs.</summary>
    public static string RequestId(this HttpContext context) => context.TraceIdentifier;

    internal static string For(HttpContext context, TimeProvider time) =>
        context.Request.Headers.TryGetValue(Header, out var sent) && sent is [{ Length: > 0 and <= LongestAccepted } id]
            && !id.AsSpan().ContainsAnyExcept(Accepted)
                ? id
                : Create(time);

    /// <summary>A UUID version 7. It names a request and protects nothing, so it does not ask the system for randomness.</summary>
    internal static string Create(TimeProvider time)
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.Shared.NextBytes(bytes[6..]);
        var milliseconds = time.GetUtcNow().ToUnixTimeMilliseconds();
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(milliseconds >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(bytes[2..], (uint)milliseconds);
        bytes[6] = (byte)(0x70 | (bytes[6] & 0x0F));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3F));
        return new Guid(bytes, bigEndian: true).ToString();
    }
}
