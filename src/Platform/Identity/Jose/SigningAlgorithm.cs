namespace Stoa.Platform.Identity.Jose;

/// <summary>
/// The signatures we know (RFC 7518, section 3.1). Which one a token must carry is settled where its key is configured; what the
/// token itself says is only compared with that.
/// </summary>
public enum SigningAlgorithm
{
    HS256,
    HS384,
    HS512,
    RS256,
    ES256,
}
