namespace Stoa.Platform.Identity.Jose;

/// <summary>Why a token is not accepted. Callers are told as little of it as their wire allows.</summary>
public enum TokenFault
{
    /// <summary>Not a token of the expected form, or one that says something we refuse.</summary>
    Malformed,
    /// <summary>Made with another key or algorithm, or altered.</summary>
    WrongSignature,
    Expired,
    NotYetValid,
    WrongIssuer,
    WrongAudience,
    /// <summary>It was good until its owner signed out.</summary>
    Revoked,
}

/// <summary>What the claims of a token must say besides being signed (RFC 7519, section 4.1).</summary>
public sealed record JwtRules
{
    /// <summary>Accepted values of <c>iss</c>; null: any.</summary>
    public IReadOnlyCollection<string>? Issuers { get; init; }

    /// <summary>One of these must be in <c>aud</c>; null: any.</summary>
    public IReadOnlyCollection<string>? Audiences { get; init; }

    /// <summary>The <c>typ</c> of the header, where there is one.</summary>
    public string Type { get; init; } = "JWT";

    public bool NeedsExpiry { get; init; } = true;

    /// <summary>How far the clock that made the token may be from ours, either way.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Null when the claims hold now.</summary>
    internal TokenFault? FaultOf(TokenClaims claims, DateTimeOffset now)
    {
        if (!claims.TryInstant("exp", out var end) || !claims.TryInstant("nbf", out var start) || !claims.TryInstant("iat", out var made)
            || (end is null && NeedsExpiry))
        {
            return TokenFault.Malformed;
        }
        return end is { } last && now - ClockSkew >= last ? TokenFault.Expired
            : (start is { } first && now + ClockSkew < first) || (made is { } issued && now + ClockSkew < issued) ? TokenFault.NotYetValid
            : Issuers is not null && !Issuers.Contains(claims.Text("iss"), StringComparer.Ordinal) ? TokenFault.WrongIssuer
            : Audiences is not null && !claims.IsFor(Audiences) ? TokenFault.WrongAudience
            : null;
    }
}
