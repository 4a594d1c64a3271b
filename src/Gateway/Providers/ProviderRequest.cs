namespace Stoa.Gateway.Providers;

/// <summary>One request to a provider. The body belongs to the caller and must stay unchanged until the exchange has ended.</summary>
internal sealed class ProviderRequest(Uri uri, ReadOnlyMemory<byte> body, bool isStream)
{
    public Uri Uri => uri;

    public ReadOnlyMemory<byte> Body => body;

    public bool IsStream => isStream;

    public HttpMethod Method { get; init; } = HttpMethod.Post;

    public string ContentType { get; init; } = "application/json";

    /// <summary>As the client sent it, where it speaks the provider's dialect; null for our default.</summary>
    public string? AnthropicVersion { get; init; }

    public string? AnthropicBeta { get; init; }

    /// <summary>The caller's own key, in the place of the operator's.</summary>
    public string? ApiKey { get; init; }

    /// <summary>How often it was sent, retries included.</summary>
    public int Attempts { get; set; }
}
