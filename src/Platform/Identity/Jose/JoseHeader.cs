namespace Stoa.Platform.Identity.Jose;

/// <summary>What we read of the header of RFC 7515 and 7516. It chooses among configured keys and nothing else.</summary>
internal sealed record JoseHeader(string Algorithm, string? Encryption, string? KeyId, string? Type)
{
    // Extensions that must be understood, keys that the token brings along, compression, a token within the token.
    private static readonly string[] Refused = ["crit", "b64", "jku", "jwk", "x5u", "x5c", "zip", "cty"];

    /// <summary>Null when it is not an object of the members we know how to read, or asks for something we never do.</summary>
    public static JoseHeader? Read(ReadOnlySpan<char> encoded) =>
        StrictBase64Url.Decode(encoded) is { } utf8
        && StrictJson.ReadObject(utf8) is { } header
        && !Array.Exists(Refused, name => header.TryGetProperty(name, out _))
        && StrictJson.TryText(header, "alg", out var algorithm) && algorithm is not null
        && StrictJson.TryText(header, "enc", out var encryption)
        && StrictJson.TryText(header, "kid", out var id)
        && StrictJson.TryText(header, "typ", out var type)
            ? new(algorithm, encryption, id, type)
            : null;
}
