using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Assistants.Auth;

/// <summary>
/// Mojodex's tokens of users: <c>sub</c> is the user's id, the splitter, and something that makes each token its own; they live 180 days.
/// </summary>
internal sealed class MojodexTokens(IOptions<MojodexAuthOptions> options, SpentTokens spent, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(180);

    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private const int LongestId = 255;

    private static readonly JwtRules Rules = new();

    private readonly string splitter = options.Value.SubjectSplitter;
    private readonly SigningKey[] keys = string.IsNullOrEmpty(options.Value.TokenSecret)
        ? []
        : [SigningKey.Hmac(options.Value.TokenAlgorithm, options.Value.TokenSecret)];

    /// <summary>False: no secret is set, and nobody can log in.</summary>
    public bool CanIssue => keys.Length > 0;

    public string Issue(string userId)
    {
        var now = time.GetUtcNow();
        var once = RandomNumberGenerator.GetString(Alphabet, 10);
        return Jwt.Create(
            new()
            {
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = (now + Lifetime).ToUnixTimeSeconds(),
                ["sub"] = string.Create(CultureInfo.InvariantCulture, $"{userId}{splitter}{once}{now:O}"),
            },
            keys is [var key] ? key : throw new InvalidOperationException("Assistants__Auth__TokenSecret is not set"));
    }

    /// <summary>The user's id, or why there is none.</summary>
    public (string? UserId, TokenFault? Fault) Read(string token)
    {
        if (!Jwt.TryRead(token, keys, Rules, time.GetUtcNow(), out var claims, out var fault))
        {
            return (null, fault);
        }
        if (spent.Contains(token))
        {
            return (null, TokenFault.Revoked);
        }
        // A subject without the splitter was made by somebody else with the same secret, for another purpose.
        return claims.Text("sub") is { } subject && subject.IndexOf(splitter, StringComparison.Ordinal) is var end and > 0 and <= LongestId
            ? (subject[..end], null)
            : (null, TokenFault.Malformed);
    }
}
