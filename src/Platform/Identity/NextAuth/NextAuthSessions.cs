using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Platform.Identity;

/// <summary>
/// Reads the session of a web site that uses next-auth 4: an encrypted token in a cookie, whose key both sides derive from one secret
/// (HKDF of RFC 5869 with SHA-256, 32 bytes).
/// </summary>
public sealed class NextAuthSessions(IOptions<NextAuthOptions> options, TimeProvider time)
{
    private const string SecurePrefix = "__Secure-";

    // A part has at most 4 KB, and all headers together at most 32 KB.
    private const int MostParts = 8;

    private readonly byte[][] keys = [.. options.Value.Secrets.Select(secret => KeyOf(secret, options.Value))];
    private readonly string name = options.Value.CookieName;

    /// <summary>
    /// The token in the request's cookies, or null. The one that only https could have set comes first: a neighbouring site can plant
    /// the other.
    /// </summary>
    public string? TokenIn(HttpRequest request) =>
        TokenIn(request.Cookies, SecurePrefix + name) ?? TokenIn(request.Cookies, name);

    /// <summary>What the site has written into the session, or null: altered, of another secret, or over.</summary>
    /// <param name="needsExpiry">Whether a token that never ends is refused. The site's own always end.</param>
    public TokenClaims? Read(string token, bool needsExpiry = true)
    {
        var rules = new JwtRules { NeedsExpiry = needsExpiry };
        foreach (var key in keys)
        {
            if (Jwe.Decrypt(token, key) is { } text)
            {
                return TokenClaims.Read(text) is { } claims && rules.FaultOf(claims, time.GetUtcNow()) is null ? claims : null;
            }
        }
        return null;
    }

    internal static byte[] KeyOf(string secret, NextAuthOptions options) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret), Jwe.KeyLength,
        Encoding.UTF8.GetBytes(options.Salt), Encoding.UTF8.GetBytes(options.Info));

    private static string? TokenIn(IRequestCookieCollection cookies, string name)
    {
        if (cookies.TryGetValue(name, out var whole) && whole.Length > 0)
        {
            return whole;
        }
        var parts = Enumerable.Range(0, MostParts)
            .Select(part => cookies[string.Create(CultureInfo.InvariantCulture, $"{name}.{part}")])
            .TakeWhile(part => !string.IsNullOrEmpty(part));
        return string.Concat(parts) is { Length: > 0 } joined ? joined : null;
    }
}
