using System.Security.Cryptography;
using System.Text;

namespace Stoa.Platform.Identity;

/// <summary>
/// What a client sends: <c>stoa_</c>, a public prefix by which the key is found and named, <c>_</c>, and 256 bits of chance.
/// We keep the SHA-256 of the whole; the secret is too long to be guessed, so no salt and no slow hash is needed.
/// </summary>
internal static class KeyToken
{
    public const int PrefixLength = 12;

    /// <summary>No token of ours is longer; longer ones are not looked at.</summary>
    public const int MaxLength = 64;

    private const string Start = "stoa_";
    private const int SecretLength = 43; // 62^43 > 2^256
    private const int Length = 5 + PrefixLength + 1 + SecretLength;
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static (string Token, string Prefix) Create()
    {
        var prefix = RandomNumberGenerator.GetString(Alphabet, PrefixLength);
        return ($"{Start}{prefix}_{RandomNumberGenerator.GetString(Alphabet, SecretLength)}", prefix);
    }

    public static byte[] HashOf(string token) => SHA256.HashData(Encoding.ASCII.GetBytes(token));

    /// <summary>The part to look a key up by. What has another shape (the development key) is its own prefix.</summary>
    public static ReadOnlySpan<char> PrefixOf(ReadOnlySpan<char> token) =>
        token.Length == Length && token.StartsWith(Start, StringComparison.Ordinal) && token[Start.Length + PrefixLength] == '_'
            ? token.Slice(Start.Length, PrefixLength)
            : token;
}
