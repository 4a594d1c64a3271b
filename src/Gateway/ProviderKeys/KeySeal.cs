using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;

namespace Stoa.Gateway.ProviderKeys;

/// <summary>
/// Seals providers' keys for the database and opens them for a call. The rings of data protection are the installation's.
/// </summary>
internal sealed class KeySeal(IDataProtectionProvider protection)
{
    private readonly IDataProtector seal = protection.CreateProtector("stoa.gateway.provider_keys");

    public byte[] Seal(string key) => seal.Protect(Encoding.UTF8.GetBytes(key));

    /// <summary>Null when it was sealed by another installation, whose ring is not here.</summary>
    public string? Open(byte[] secret)
    {
        try
        {
            return Encoding.UTF8.GetString(seal.Unprotect(secret));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>What may be shown of a key.</summary>
    public static string Mask(string key) => key.Length > 6 ? $"{key[..3]}*********{key[^3..]}" : "*********";
}
