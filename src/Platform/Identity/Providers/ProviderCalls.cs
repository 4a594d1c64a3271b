using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Asks a provider and reads what it answers, whatever that is.</summary>
internal sealed partial class ProviderCalls(IHttpClientFactory clients, ILogger<ProviderCalls> logger)
{
    /// <summary>The client of <c>Egress</c> that all providers are asked over.</summary>
    public const string Client = "signin";

    private const int MostBytes = 64 * 1024;

    /// <summary>Hands a code in. Null when the provider refuses it.</summary>
    public async Task<TokenAnswer?> ExchangeAsync(
        IProviderSignIn provider, string address, string code, string verifier,
        Uri callback, string clientId, string clientSecret, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["grant_type"] = "authorization_code",
                ["code"] = code,
                ["redirect_uri"] = callback.AbsoluteUri,
                ["code_verifier"] = verifier,
                ["client_id"] = clientId,
                ["client_secret"] = clientSecret,
            }),
        };
        return await AskAsync(provider, request, ProviderJson.Default.TokenAnswer, ct);
    }

    /// <summary>Null when the provider refuses.</summary>
    /// <exception cref="Failure">Upstream: it cannot be reached, or says nothing that can be read.</exception>
    public async Task<T?> AskAsync<T>(IProviderSignIn provider, HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken ct)
        where T : class
    {
        using var http = clients.CreateClient(Client);
        try
        {
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            if (!answer.IsSuccessStatusCode)
            {
                LogRefused(provider.DisplayName, (int)answer.StatusCode);
                return (int)answer.StatusCode < 500 ? null : throw Away(provider);
            }
            await answer.Content.LoadIntoBufferAsync(MostBytes, ct);
            return await answer.Content.ReadFromJsonAsync(type, ct);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException)
        {
            LogFailed(provider.DisplayName, error.Message);
            throw Away(provider);
        }
    }

    public static Failure Refused(IProviderSignIn provider) =>
        Failure.Unauthenticated($"{provider.DisplayName} did not confirm who you are. Sign in again.");

    public static string Address(string address, params (string Name, string Value)[] parameters) => address
        + (address.Contains('?', StringComparison.Ordinal) ? "&" : "?")
        + string.Join('&', parameters.Select(one => $"{one.Name}={Uri.EscapeDataString(one.Value)}"));

    private static Failure Away(IProviderSignIn provider) => new(
        FailureKind.Upstream, $"{provider.Provider}_unavailable", $"{provider.DisplayName} cannot be reached. Try again in a moment.");

    [LoggerMessage(LogLevel.Information, "{Provider} refused a sign-in with status {Status}")]
    private partial void LogRefused(string provider, int status);

    [LoggerMessage(LogLevel.Warning, "{Provider} could not be asked: {Problem}")]
    private partial void LogFailed(string provider, string problem);

    internal sealed record TokenAnswer(string? AccessToken, string? IdToken);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ProviderCalls.TokenAnswer))]
[JsonSerializable(typeof(DiscordSignIn.UserAnswer))]
internal sealed partial class ProviderJson : JsonSerializerContext;
