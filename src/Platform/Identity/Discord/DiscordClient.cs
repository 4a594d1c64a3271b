using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>A Discord account. Its id never changes; the names are what Discord shows.</summary>
public sealed record DiscordIdentity(string Id, string Name);

/// <summary>Discord's side of the authorization code flow (RFC 6749, section 4.1, with the proof key of RFC 7636).</summary>
internal sealed partial class DiscordClient(IOptions<DiscordOptions> options, IHttpClientFactory clients, ILogger<DiscordClient> logger)
{
    public const string Client = "discord";

    private const int MostBytes = 64 * 1024;

    /// <summary>Where the browser is sent.</summary>
    /// <param name="challenge">The SHA-256 of the verifier that the code will be exchanged with.</param>
    public string AuthorizeAddress(Uri callback, string state, string challenge) => Query(options.Value.AuthorizeUrl,
        ("response_type", "code"), ("client_id", options.Value.ClientId!), ("scope", "identify"), ("redirect_uri", callback.AbsoluteUri),
        ("state", state), ("code_challenge", challenge), ("code_challenge_method", "S256"));

    /// <summary>Whose account the code stands for.</summary>
    /// <exception cref="Failure">Unauthenticated: Discord does not know the code. Upstream and its like: Discord does not answer.</exception>
    public async Task<DiscordIdentity> ExchangeAsync(string code, string verifier, Uri callback, CancellationToken ct)
    {
        using var http = clients.CreateClient(Client);
        using var asked = new HttpRequestMessage(HttpMethod.Post, options.Value.TokenUrl)
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["grant_type"] = "authorization_code",
                ["code"] = code,
                ["redirect_uri"] = callback.AbsoluteUri,
                ["code_verifier"] = verifier,
                ["client_id"] = options.Value.ClientId!,
                ["client_secret"] = options.Value.ClientSecret!,
            }),
        };
        var token = await AskAsync(http, asked, DiscordJson.Default.TokenAnswer, ct);
        if (token?.AccessToken is not { Length: > 0 } access)
        {
            throw Refused();
        }
        using var who = new HttpRequestMessage(HttpMethod.Get, options.Value.UserUrl)
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", access) },
        };
        var user = await AskAsync(http, who, DiscordJson.Default.UserAnswer, ct);
        return user?.Id is { Length: > 0 and <= 32 } id && id.All(char.IsAsciiDigit)
            ? new(id, user.GlobalName ?? user.Username ?? id)
            : throw Refused();
    }

    internal static Failure Refused() => Failure.Unauthenticated("Discord did not confirm who you are. Sign in again.");

    private async Task<T?> AskAsync<T>(
        HttpClient http, HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken ct)
        where T : class
    {
        try
        {
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            if (!answer.IsSuccessStatusCode)
            {
                LogRefused((int)answer.StatusCode);
                return (int)answer.StatusCode < 500 ? null : throw Away();
            }
            await answer.Content.LoadIntoBufferAsync(MostBytes, ct);
            return await answer.Content.ReadFromJsonAsync(type, ct);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException)
        {
            LogFailed(error.Message);
            throw Away();
        }
    }

    private static Failure Away() => new(FailureKind.Upstream, "discord_unavailable", "Discord cannot be reached. Try again in a moment.");

    private static string Query(string address, params (string Name, string Value)[] parameters) => address
        + (address.Contains('?', StringComparison.Ordinal) ? "&" : "?")
        + string.Join('&', parameters.Select(one => $"{one.Name}={Uri.EscapeDataString(one.Value)}"));

    [LoggerMessage(LogLevel.Information, "Discord refused a sign-in with status {Status}")]
    private partial void LogRefused(int status);

    [LoggerMessage(LogLevel.Warning, "Discord could not be asked: {Problem}")]
    private partial void LogFailed(string problem);

    internal sealed record TokenAnswer(string? AccessToken);

    internal sealed record UserAnswer(string? Id, string? Username, string? GlobalName);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DiscordClient.TokenAnswer))]
[JsonSerializable(typeof(DiscordClient.UserAnswer))]
internal sealed partial class DiscordJson : JsonSerializerContext;
