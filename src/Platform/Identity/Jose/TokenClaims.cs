using System.Text.Json;

namespace Stoa.Platform.Identity.Jose;

/// <summary>The claims of a token that was verified or decrypted.</summary>
public sealed class TokenClaims
{
    private static readonly double Latest = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    private TokenClaims(JsonElement claims) => All = claims;

    /// <summary>The whole object, as it was signed.</summary>
    public JsonElement All { get; }

    /// <summary>A claim that is a text; null when it is absent or something else.</summary>
    public string? Text(string name) => StrictJson.TryText(All, name, out var value) ? value : null;

    /// <summary>A claim that is true; some issuers write it as a text.</summary>
    public bool IsTrue(string name) => All.TryGetProperty(name, out var claim)
        && (claim.ValueKind == JsonValueKind.True || (claim.ValueKind == JsonValueKind.String && claim.ValueEquals("true")));

    internal static TokenClaims? Read(ReadOnlyMemory<byte> utf8) => StrictJson.ReadObject(utf8) is { } claims ? new(claims) : null;

    /// <summary>A NumericDate (RFC 7519, section 2): seconds, perhaps with a fraction. False when it is there and is no number.</summary>
    internal bool TryInstant(string name, out DateTimeOffset? instant)
    {
        instant = null;
        if (!All.TryGetProperty(name, out var claim))
        {
            return true;
        }
        if (claim.ValueKind != JsonValueKind.Number)
        {
            return false;
        }
        var seconds = Math.Clamp(claim.GetDouble(), 0, Latest);
        instant = DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond));
        return true;
    }

    /// <summary><c>aud</c> is one text or a list of texts.</summary>
    internal bool IsFor(IReadOnlyCollection<string> audiences) =>
        All.TryGetProperty("aud", out var audience)
        && (audience.ValueKind == JsonValueKind.Array
            ? audience.EnumerateArray().Any(one => Names(one, audiences))
            : Names(audience, audiences));

    private static bool Names(JsonElement audience, IReadOnlyCollection<string> audiences) =>
        audience.ValueKind == JsonValueKind.String && audiences.Any(audience.ValueEquals);
}
