using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Platform.Identity;

/// <summary>Whom Google vouches for.</summary>
/// <param name="Subject">Google's id of the account; it stays when the address changes.</param>
/// <param name="Email">Verified by Google, in lower case.</param>
public sealed record GoogleIdentity(string Subject, string Email, string? GivenName, string? FamilyName, string? Picture);

/// <summary>
/// Reads Google's ID tokens: RS256 by a key of Google's set, issuer, audience, times, and a verified address
/// (https://developers.google.com/identity/gsi/web/guides/verify-google-id-token).
/// </summary>
public sealed class GoogleTokens : IDisposable
{
    internal const string Client = "google";

    private const string Development = $"{DevelopmentKey.Token}:";

    private readonly RemoteKeys keys;
    private readonly JwtRules rules;
    private readonly TimeProvider time;
    private readonly bool takesNames;

    /// <param name="isDevelopment">Where no client id is set, <c>stoa-dev:ada@example.org</c> is an ID token of the account with that
    /// address.</param>
    public GoogleTokens(
        IOptions<GoogleOptions> options, IHttpClientFactory clients,
        TimeProvider time, ILogger<GoogleTokens> logger, bool isDevelopment = false)
    {
        var google = options.Value;
        this.time = time;
        takesNames = isDevelopment && string.IsNullOrWhiteSpace(google.ClientId);
        IsConfigured = !string.IsNullOrWhiteSpace(google.ClientId);
        keys = new(clients, Client, new(google.CertificatesUrl), time, logger);
        rules = new()
        {
            Issuers = google.Issuers.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            Audiences = [google.ClientId ?? ""],
        };
    }

    public bool IsConfigured { get; }

    /// <summary>Whether anybody can vouch for such a token here.</summary>
    public bool CanRead(string token) => IsConfigured || Named(token) is not null;

    /// <exception cref="Failure">
    /// Unauthenticated, with a reason that names nothing of the token; Internal when no client id is set and the token could be Google's;
    /// Unavailable while Google's keys were never read.
    /// </exception>
    public async Task<GoogleIdentity> VerifyAsync(string token, CancellationToken ct)
    {
        if (Named(token) is { } named)
        {
            return named;
        }
        if (Jws.Parse(token) is not { } parsed)
        {
            throw Refused(TokenFault.Malformed);
        }
        // Google names the key and signs by this algorithm alone: what says otherwise is not its own, whoever we are.
        if (parsed.Header is not { KeyId: { } id, Algorithm: nameof(SigningAlgorithm.RS256) })
        {
            throw Refused(TokenFault.WrongSignature);
        }
        if (!IsConfigured)
        {
            throw new Failure(FailureKind.Internal, "google_not_configured", "Google Client ID not configured");
        }
        var key = await keys.FindAsync(id, ct);
        return Jwt.TryRead(parsed, key is null ? [] : [key], rules, time.GetUtcNow(), out var claims, out var fault)
            ? IdentityOf(claims)
            : throw Refused(fault);
    }

    public void Dispose() => keys.Dispose();

    private GoogleIdentity? Named(string token) =>
        takesNames && token.StartsWith(Development, StringComparison.Ordinal)
            && EmailAddress.TryRead(token[Development.Length..], out var email)
            ? new($"{Development}{EmailAddress.KeyOf(email)}", email.ToLowerInvariant(), GivenName: null, FamilyName: null, Picture: null)
            : null;

    private static GoogleIdentity IdentityOf(TokenClaims claims)
    {
        if (claims.Text("sub") is not { Length: > 0 and <= 255 } subject || claims.Text("email") is not { Length: > 0 } email)
        {
            throw Refused(TokenFault.Malformed);
        }
        return claims.IsTrue("email_verified")
            ? new(subject, email.ToLowerInvariant(), claims.Text("given_name"), claims.Text("family_name"), claims.Text("picture"))
            : throw Refused("The address is not verified");
    }

    private static Failure Refused(TokenFault fault) => Refused(fault switch
    {
        TokenFault.Malformed => "It is not an ID token",
        TokenFault.WrongSignature => "Could not verify token signature",
        TokenFault.Expired or TokenFault.Revoked => "Token expired",
        TokenFault.NotYetValid => "Token used too early",
        TokenFault.WrongIssuer => "Wrong issuer",
        TokenFault.WrongAudience => "Token has wrong audience",
    }, isOver: fault == TokenFault.Expired);

    private static Failure Refused(string reason, bool isOver = false) =>
        new(FailureKind.Unauthenticated, "google_token", $"Invalid authentication token: {reason}") { IsOutdated = isOver };
}
