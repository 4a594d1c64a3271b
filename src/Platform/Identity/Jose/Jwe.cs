using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Stoa.Platform.Identity.Jose;

/// <summary>
/// Encrypted tokens in compact form (RFC 7516) with the key used directly (<c>dir</c>) and AES-256 in Galois/Counter Mode
/// (<c>A256GCM</c>): the one kind that session cookies of next-auth 4 have.
/// </summary>
internal static class Jwe
{
    public const int KeyLength = 32;

    /// <summary>More than a request's headers can carry.</summary>
    public const int MaxLength = 64 * 1024;

    private const string Header = """{"alg":"dir","enc":"A256GCM"}""";

    /// <summary>The plain bytes, or null when the token is not of this kind, was altered, or was made with another key.</summary>
    public static byte[]? Decrypt(ReadOnlySpan<char> token, ReadOnlySpan<byte> key)
    {
        Span<Range> parts = stackalloc Range[6];
        if (token.Length > MaxLength || token.Split(parts, '.') != 5
            // The encrypted key: there is none, the key is known.
            || parts[1].Start.Value != parts[1].End.Value
            || JoseHeader.Read(token[parts[0]]) is not { Algorithm: "dir", Encryption: "A256GCM" }
            || StrictBase64Url.Decode(token[parts[2]]) is not { } nonce || nonce.Length != AesGcm.NonceByteSizes.MaxSize
            || StrictBase64Url.Decode(token[parts[3]]) is not { } sealedText
            || StrictBase64Url.Decode(token[parts[4]]) is not { } tag || tag.Length != AesGcm.TagByteSizes.MaxSize)
        {
            return null;
        }
        var header = new byte[parts[0].End.Value];
        Encoding.ASCII.GetBytes(token[parts[0]], header);
        return Open(header, nonce, sealedText, tag, key);
    }

    /// <summary>RFC 7518, section 5.3. Null when any of it was altered.</summary>
    internal static byte[]? Open(byte[] header, byte[] nonce, byte[] sealedText, byte[] tag, ReadOnlySpan<byte> key)
    {
        var text = new byte[sealedText.Length];
        using var cipher = new AesGcm(key, AesGcm.TagByteSizes.MaxSize);
        try
        {
            cipher.Decrypt(nonce, sealedText, tag, text, header);
            return text;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    public static string Encrypt(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key)
    {
        var header = Base64Url.EncodeToString(Encoding.ASCII.GetBytes(Header));
        var nonce = RandomNumberGenerator.GetBytes(AesGcm.NonceByteSizes.MaxSize);
        var sealedText = new byte[text.Length];
        var tag = new byte[AesGcm.TagByteSizes.MaxSize];
        using var cipher = new AesGcm(key, tag.Length);
        cipher.Encrypt(nonce, text, sealedText, tag, Encoding.ASCII.GetBytes(header));
        return $"{header}..{Base64Url.EncodeToString(nonce)}.{Base64Url.EncodeToString(sealedText)}.{Base64Url.EncodeToString(tag)}";
    }
}
