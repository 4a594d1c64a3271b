using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Stoa.Gateway;

/// <summary>Ids of 24 hex digits, in the form of MongoDB's object ids: seconds, then random bytes.</summary>
internal static class HexId
{
    private const int Bytes = 12;

    public static string Create(TimeProvider time)
    {
        Span<byte> id = stackalloc byte[Bytes];
        RandomNumberGenerator.Fill(id);
        BinaryPrimitives.WriteUInt32BigEndian(id, (uint)time.GetUtcNow().ToUnixTimeSeconds());
        return Convert.ToHexStringLower(id);
    }

    public static bool IsOne(string? text) => text is { Length: Bytes * 2 } && text.All(char.IsAsciiHexDigit);
}
