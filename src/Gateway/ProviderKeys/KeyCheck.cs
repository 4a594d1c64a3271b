using System.Net;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Configuration;
using Stoa.Platform.Http;

namespace Stoa.Gateway.ProviderKeys;

/// <summary>Asks a provider whether a key is one, by a call that costs nothing. Its address is the operator's or the public one.</summary>
internal sealed class KeyCheck(IHttpClientFactory clients, IOptions<GatewayOptions> options, TimeProvider time)
{
    public const string Client = "gateway.key_check";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <returns>The status that the key has now: <c>working</c> or <c>limited</c>.</returns>
    /// <exception cref="Failure">Invalid: the provider says that it is none. Upstream or Timeout: it could not be asked.</exception>
    public async Task<string> RunAsync(ProviderService service, string key, CancellationToken ct)
    {
        if (service.BaseUrl is null)
        {
            return "working";
        }
        var answered = await StatusOfAsync(service, key, ct);
        return service.KeyStatusOf(answered) switch
        {
            "invalid" => throw Failure.Invalid("The provider does not know this key", "apikey", "key_invalid"),
            "unauthorized" => throw Failure.Invalid("The provider does not allow this key to be used", "apikey", "key_unauthorized"),
            { } status => status,
            null => throw Failure.Invalid($"The key could not be verified: the provider answered {answered}", "apikey", "key_not_verified"),
        };
    }

    private async Task<int> StatusOfAsync(ProviderService service, string key, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            using var request = RequestOf(service, key);
            using var response = await clients.CreateClient(Client)
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            return (int)response.StatusCode;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new Failure(FailureKind.Timeout, "upstream_timeout", "The provider did not answer in time");
        }
        catch (HttpRequestException)
        {
            throw new Failure(FailureKind.Upstream, "upstream_connection", "The provider could not be reached");
        }
    }

    private HttpRequestMessage RequestOf(ProviderService service, string key)
    {
        var (path, header, value) = service switch
        {
            { WireFormat: "anthropic" } => ("/v1/models", "x-api-key", key),
            { WireFormat: "gemini" } => ("/v1beta/models", "x-goog-api-key", key),
            { WireFormat: "deepgram" } => ("/v1/projects", "Authorization", $"Token {key}"),
            // Its list of models is open to everybody.
            { Name: "open_router" } => ("/key", "Authorization", $"Bearer {key}"),
            _ => ("/models", "Authorization", $"Bearer {key}"),
        };
        var request = new HttpRequestMessage(HttpMethod.Get, service.BaseUrl + path) { Version = HttpVersion.Version11 };
        request.Headers.TryAddWithoutValidation(header, value);
        if (service.WireFormat == "anthropic")
        {
            request.Headers.TryAddWithoutValidation("anthropic-version", options.Value.AnthropicVersion);
        }
        return request;
    }
}
