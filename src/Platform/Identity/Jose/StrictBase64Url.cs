using System.Buffers;
using System.Buffers.Text;

namespace Stoa.Platform.Identity.Jose;

/// <summary>
/// Base64url as RFC 7515 writes it: no padding, no white space, no spare bits. The framework's reader forgives the first two, and
/// then several texts would be the same token.
/// </summary>
internal static class StrictBase64Url
{
    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>Null when <paramref name="text"/> is not what an encoder would have written.</summary>
    public static byte[]? Decode(ReadOnlySpan<char> text)
    {
        if (text.ContainsAnyExcept(Alphabet))
        {
            return null;
        }
        var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        return Base64Url.DecodeFromChars(text, bytes, out _, out var written) == OperationStatus.Done ? bytes[..written] : null;
    }
}
