using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>The client's headers that go on to the provider.</summary>
internal static class PassedHeaders
{
    private const int MaxLength = 4_096;

    public static string? AnthropicVersion(HttpRequest request) => Read(request, "anthropic-version");

    public static string? AnthropicBeta(HttpRequest request) => Read(request, "anthropic-beta");

    /// <exception cref="Failure">It could not be sent on; found out later, it would look like a fault of the provider.</exception>
    private static string? Read(HttpRequest request, string name)
    {
        string? value = request.Headers[name];
        return value is null || (value.Length <= MaxLength && !value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            ? value
            : throw Failure.Invalid($"The header {name} is too long or holds characters outside ASCII", name);
    }
}
