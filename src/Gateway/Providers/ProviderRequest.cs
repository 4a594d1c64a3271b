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
    public string? AnthropicVersion { get; set; }

    public string? AnthropicBeta { get; set; }

    /// <summary>A key to send instead of the one of the settings.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Null for those of the settings.</summary>
    public TimeoutOptions? Timeouts { get; init; }

    /// <summary>After this timestamp nothing is tried any more; 0 for no such limit.</summary>
    public long GiveUpAt { get; init; }

    /// <summary>How often it was sent, retries included, and what other targets were sent before for the same call.</summary>
    public int Attempts { get; set; }

    public int MaxAttempts { get; init; } = int.MaxValue;

    public bool IsBounded => GiveUpAt != 0 || MaxAttempts != int.MaxValue;
}
