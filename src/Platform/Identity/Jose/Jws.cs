using System.Buffers.Text;
using System.Text;

namespace Stoa.Platform.Identity.Jose;

/// <summary>A signed token in compact form (RFC 7515, section 7.1), taken apart but not believed.</summary>
internal sealed class Jws
{
    /// <summary>
    /// Longer ones are not looked at. Requests carry at most 32 KB of headers; tokens we accept in bodies are far smaller.
    /// </summary>
    public const int MaxLength = 16 * 1024;

    private readonly string token;
    private readonly int signedLength;
    private readonly byte[] signature;

    private Jws(string token, int signedLength, byte[] signature, JoseHeader header, byte[] payload) =>
        (this.token, this.signedLength, this.signature, Header, Payload) = (token, signedLength, signature, header, payload);

    public JoseHeader Header { get; }

    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>Null when it is not three well-formed parts.</summary>
    public static Jws? Parse(string token)
    {
        Span<Range> parts = stackalloc Range[4];
        if (token.Length > MaxLength || token.AsSpan().Split(parts, '.') != 3)
        {
            return null;
        }
        return JoseHeader.Read(token.AsSpan(parts[0])) is { } header
            && StrictBase64Url.Decode(token.AsSpan(parts[1])) is { } payload
            && StrictBase64Url.Decode(token.AsSpan(parts[2])) is { } signature
                ? new(token, parts[1].End.Value, signature, header, payload)
                : null;
    }

    /// <summary>The key decides how is verified; a token that names another algorithm is not tried.</summary>
    public bool IsSignedBy(SigningKey key) =>
        Header.Algorithm == key.Algorithm.ToString()
        && key.Verify(Encoding.ASCII.GetBytes(token, 0, signedLength), signature);

    public static string Sign(ReadOnlySpan<byte> payload, SigningKey key, string? type = "JWT")
    {
        var id = key.Id is null ? "" : $",\"kid\":\"{key.Id}\"";
        var typed = type is null ? "" : $",\"typ\":\"{type}\"";
        var header = Encoding.UTF8.GetBytes($$"""{"alg":"{{key.Algorithm}}"{{id}}{{typed}}}""");
        var signed = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(payload)}";
        return $"{signed}.{Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(signed)))}";
    }
}
