using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json.Nodes;

namespace Stoa.Platform.Identity.Jose;

/// <summary>Signed claims (RFC 7519). Keys and algorithms are ours; nothing in a token chooses among them but <c>kid</c>.</summary>
public static class Jwt
{
    /// <summary>Whether one of <paramref name="keys"/> signed the token and its claims hold now.</summary>
    public static bool TryRead(
        string token, IReadOnlyList<SigningKey> keys, JwtRules rules, DateTimeOffset now,
        [NotNullWhen(true)] out TokenClaims? claims, out TokenFault fault)
    {
        claims = null;
        if (Jws.Parse(token) is not { } parsed)
        {
            fault = TokenFault.Malformed;
            return false;
        }
        return TryRead(parsed, keys, rules, now, out claims, out fault);
    }

    internal static bool TryRead(
        Jws token, IReadOnlyList<SigningKey> keys, JwtRules rules, DateTimeOffset now,
        [NotNullWhen(true)] out TokenClaims? claims, out TokenFault fault)
    {
        claims = null;
        if (!keys.Any(token.IsSignedBy))
        {
            fault = TokenFault.WrongSignature;
            return false;
        }
        // Only now: nothing that an unsigned token says is read, not even to choose the words of the refusal.
        if (token.Header.Type?.Equals(rules.Type, StringComparison.OrdinalIgnoreCase) == false
            || TokenClaims.Read(token.Payload) is not { } read)
        {
            fault = TokenFault.Malformed;
            return false;
        }
        if (rules.FaultOf(read, now) is { } wrong)
        {
            fault = wrong;
            return false;
        }
        fault = default;
        claims = read;
        return true;
    }

    public static string Create(JsonObject claims, SigningKey key, string? type = "JWT") =>
        Jws.Sign(Encoding.UTF8.GetBytes(claims.ToJsonString()), key, type);
}
