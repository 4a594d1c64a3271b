using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Stoa.Platform.Identity;

/// <summary>
/// What opens a session, an invitation or the first run: 256 bits of chance, written in 43 characters. We keep the SHA-256 and look it
/// up by that; nobody can steer a look-up towards a hash that he does not know the origin of.
/// </summary>
internal static class SecretToken
{
    private const int Bytes = 32;
    private const int Length = 43;

    public static string Create() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));

    public static byte[] HashOf(string token) => SHA256.HashData(Encoding.ASCII.GetBytes(token));

    /// <summary>False for what cannot be a token of ours: nobody needs to look it up.</summary>
    public static bool TryHash(string? token, [NotNullWhen(true)] out byte[]? hash)
    {
        hash = token is { Length: Length } && Base64Url.IsValid(token) ? HashOf(token) : null;
        return hash is not null;
    }
}
