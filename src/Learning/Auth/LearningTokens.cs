using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Learning.Auth;

/// <summary>
/// Our own short-lived bearer tokens, for clients other than the front end. Their keys are derived from the secrets that we share with
/// the front end, for a purpose of its own: one setting rotates both, and neither token is taken for the other.
/// </summary>
internal sealed class LearningTokens(IOptions<NextAuthOptions> options, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private const string Issuer = "stoa";
    private const string Audience = "learning";

    private static readonly JwtRules Rules = new() { Issuers = [Issuer], Audiences = [Audience] };

    private readonly SigningKey[] keys = [.. options.Value.Secrets.Select(KeyOf)];

    public bool CanIssue => keys.Length > 0;

    /// <summary>Signed with the first secret, which is the newest.</summary>
    public string Issue(int userId, string email)
    {
        var now = time.GetUtcNow();
        return Jwt.Create(
            new()
            {
                ["iss"] = Issuer,
                ["aud"] = Audience,
                ["userId"] = userId,
                ["email"] = email,
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = (now + Lifetime).ToUnixTimeSeconds(),
            },
            keys[0]);
    }

    /// <param name="isOver">It was one of ours.</param>
    public bool TryRead(string token, [NotNullWhen(true)] out LearningCaller? caller, out bool isOver)
    {
        caller = Jwt.TryRead(token, keys, Rules, time.GetUtcNow(), out var claims, out var fault)
            ? LearningCaller.Of(claims, LearningProof.Token)
            : null;
        isOver = claims is null && fault == TokenFault.Expired;
        return caller is not null;
    }

    private static SigningKey KeyOf(string secret) => SigningKey.Hmac(SigningAlgorithm.HS256, HKDF.DeriveKey(
        HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret), SHA256.HashSizeInBytes, info: "stoa learning access token"u8.ToArray()));
}
