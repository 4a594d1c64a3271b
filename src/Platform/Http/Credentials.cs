using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Stoa.Platform.Http;

/// <summary>Where callers put what proves them. One reader for all surfaces: two could read the same header differently.</summary>
public static class Credentials
{
    private const string Bearer = "Bearer ";

    /// <summary>
    /// The one value of a header; null when it is absent, empty, or sent more than once, which two readers could read differently.
    /// </summary>
    public static string? SingleHeader(this HttpRequest request, string name) => Single(request.Headers[name]);

    /// <summary>What stands behind <c>Bearer</c>; null for another scheme or none.</summary>
    public static string? BearerToken(this HttpRequest request) =>
        request.BearerTokenSpan() is { IsEmpty: false } token ? token.ToString() : null;

    /// <summary>The same without a string of its own; empty for another scheme or none.</summary>
    public static ReadOnlySpan<char> BearerTokenSpan(this HttpRequest request) =>
        Single(request.Headers.Authorization) is { } value && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? value.AsSpan(Bearer.Length).Trim()
            : default;

    private static string? Single(StringValues values) =>
        values is [{ Length: > 0 } value] && value.Trim() is { Length: > 0 } trimmed ? trimmed : null;
}
