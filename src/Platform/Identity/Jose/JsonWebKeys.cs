using System.Security.Cryptography;
using System.Text.Json;

namespace Stoa.Platform.Identity.Jose;

/// <summary>Reads a key set (RFC 7517): public keys for RS256 and ES256 that have a name. Others in it are none of our business.</summary>
internal static class JsonWebKeys
{
    private const int MostKeys = 64;

    /// <summary>Null when it is no key set.</summary>
    public static Dictionary<string, SigningKey>? Read(ReadOnlyMemory<byte> utf8)
    {
        if (StrictJson.ReadObject(utf8) is not { } set
            || !set.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
        {
            return null;
        }
        var read = new Dictionary<string, SigningKey>(StringComparer.Ordinal);
        foreach (var key in keys.EnumerateArray().Take(MostKeys))
        {
            if (key.ValueKind == JsonValueKind.Object && Read(key) is { Id: { } id } usable)
            {
                read.TryAdd(id, usable);
            }
        }
        return read;
    }

    private static SigningKey? Read(JsonElement key)
    {
        if (!StrictJson.TryText(key, "kid", out var id) || string.IsNullOrEmpty(id)
            || !StrictJson.TryText(key, "use", out var use) || use is not (null or "sig")
            || !StrictJson.TryText(key, "alg", out var algorithm)
            || !StrictJson.TryText(key, "kty", out var type))
        {
            return null;
        }
        try
        {
            return (type, algorithm) switch
            {
                ("RSA", null or "RS256") => SigningKey.Rsa(new() { Modulus = Number(key, "n"), Exponent = Number(key, "e") }, id),
                ("EC", null or "ES256") when StrictJson.TryText(key, "crv", out var curve) && curve == "P-256" => SigningKey.EllipticCurve(
                    new() { Curve = ECCurve.NamedCurves.nistP256, Q = new() { X = Number(key, "x"), Y = Number(key, "y") } }, id),
                _ => null,
            };
        }
        catch (ArgumentException)
        {
            // Too short to be safe, or not of the curve's size.
            return null;
        }
    }

    private static byte[]? Number(JsonElement key, string name) =>
        StrictJson.TryText(key, name, out var text) && text is not null ? StrictBase64Url.Decode(text) : null;
}
