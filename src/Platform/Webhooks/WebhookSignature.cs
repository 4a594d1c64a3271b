using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Stoa.Platform.Webhooks;

/// <summary>Signs as Standard Webhooks asks, and in the older form that a wire of ours promises beside it.</summary>
internal static class WebhookSignature
{
    public const string SecretPrefix = "whsec_";

    private const int SecretBytes = 32;

    public static string NewSecret() => SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>
    /// <c>v1,BASE64</c> of HMAC-SHA256 over <c>id.timestamp.body</c>, keyed by the bytes that the secret spells; one for each secret.
    /// </summary>
    public static string Standard(IEnumerable<string> secrets, string id, DateTimeOffset at, string body)
    {
        var signed = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{at.ToUnixTimeSeconds()}.{body}"));
        return string.Join(' ', secrets.Select(secret =>
            "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret[SecretPrefix.Length..]), signed))));
    }

    /// <summary>
    /// <c>t=UNIX,v1=HEX</c> of HMAC-SHA256 over <c>t.body</c>, keyed by the secret's text; one <c>v1</c> for each secret.
    /// </summary>
    public static string Dated(IEnumerable<string> secrets, DateTimeOffset at, string body)
    {
        var time = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signed = Encoding.UTF8.GetBytes($"{time}.{body}");
        return string.Join(',', secrets
            .Select(secret => "v1=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed)))
            .Prepend($"t={time}"));
    }
}
