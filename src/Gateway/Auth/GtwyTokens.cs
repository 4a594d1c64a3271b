using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Gateway.Auth;

/// <summary>GTWY's tokens: HS256, signed with a secret per kind. They may lack an end; one that has an end is held to it.</summary>
internal sealed class GtwyTokens(IOptions<GtwyAuthOptions> options, SpentTokens spent, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(48);

    private static readonly JwtRules Rules = new() { NeedsExpiry = false };

    private readonly SigningKey[] users = KeysOf(options.Value.TokenSecret);
    private readonly SigningKey[] chatbots = KeysOf(options.Value.ChatbotSecret);
    private readonly SigningKey[] publicChatbots = KeysOf(options.Value.PublicChatbotSecret);

    public (TokenClaims? Claims, TokenFault? Fault) ReadUser(string token) => Read(token, users);

    public (TokenClaims? Claims, TokenFault? Fault) ReadChatbot(string token, bool isPublic) =>
        Read(token, isPublic ? publicChatbots : chatbots);

    /// <summary>
    /// A user's token over these claims (<c>user</c>, <c>org</c>, <c>extraDetails</c>), with <c>iat</c> and <c>exp</c> added.
    /// </summary>
    public string IssueUser(JsonObject claims, TimeSpan? lifetime = null)
    {
        var now = time.GetUtcNow();
        var dated = (JsonObject)claims.DeepClone();
        dated["iat"] = now.ToUnixTimeSeconds();
        dated["exp"] = (now + (lifetime ?? Lifetime)).ToUnixTimeSeconds();
        return Jwt.Create(dated, users is [var key] ? key : throw new Failure(
            FailureKind.Unavailable, "tokens_off", "This installation signs no tokens: the operator sets Gateway__Auth__TokenSecret"));
    }

    private (TokenClaims?, TokenFault?) Read(string token, SigningKey[] keys) =>
        !Jwt.TryRead(token, keys, Rules, time.GetUtcNow(), out var claims, out var fault) ? (null, fault)
        : spent.Contains(token) ? (null, TokenFault.Revoked)
        : (claims, null);

    private static SigningKey[] KeysOf(string? secret) =>
        string.IsNullOrEmpty(secret) ? [] : [SigningKey.Hmac(SigningAlgorithm.HS256, secret)];
}
