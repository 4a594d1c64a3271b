using System.Security.Cryptography;
using System.Text;

namespace Stoa.Gateway.ProviderKeys;

/// <summary>
/// Reads providers' keys as the original stores them: AES-256-CBC in hex, older ones AES-256-CFB, both with material from two settings of
/// it: the key is the first 32 hex characters of SHA-512 of <c>Encreaption_key</c>, the vector the first 16 of SHA-512 of <c>Secret_IV</c>.
/// </summary>
internal sealed class OriginalKeys(string encryptionKey, string secretIv)
{
    private readonly byte[] key = Material(encryptionKey, 32);
    private readonly byte[] vector = Material(secretIv, 16);

    private const int ShortestKey = 8;

    /// <summary>Null unless the settings have both secrets of the original.</summary>
    public static OriginalKeys? Of(OriginalKeysOptions options) =>
        options is { EncryptionKey.Length: > 0, SecretIv.Length: > 0 } ? new(options.EncryptionKey, options.SecretIv) : null;

    /// <summary>Null when it can be read in neither way.</summary>
    public string? Read(string stored)
    {
        byte[] sealedKey;
        try
        {
            sealedKey = Convert.FromHexString(stored);
        }
        catch (FormatException)
        {
            return null;
        }
        using var aes = Aes.Create();
        aes.Key = key;
        return Tried(() => aes.DecryptCbc(sealedKey, vector)) ?? Tried(() => Stream(aes, sealedKey));
    }

    /// <summary>
    /// CFB needs no padding, and the original uses none; the class here wants whole blocks, of which the rest is cut off again.
    /// </summary>
    private byte[] Stream(Aes aes, byte[] text)
    {
        var blocks = new byte[(text.Length + 15) / 16 * 16];
        text.CopyTo(blocks, 0);
        return aes.DecryptCfb(blocks, vector, PaddingMode.None, feedbackSizeInBits: 128)[..text.Length];
    }

    // What no key could be was read in the wrong way.
    private static string? Tried(Func<byte[]> open)
    {
        try
        {
            var text = Encoding.UTF8.GetString(open());
            return text.Length >= ShortestKey && text.All(letter => letter is >= '!' and <= '~') ? text : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static byte[] Material(string secret, int letters) =>
        Encoding.UTF8.GetBytes(Convert.ToHexStringLower(SHA512.HashData(Encoding.UTF8.GetBytes(secret)))[..letters]);
}
