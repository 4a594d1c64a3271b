using System.Net.Http.Json;
using Microsoft.Extensions.Options;
using Stoa.Platform.Egress;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Assistants.Push;

/// <summary>
/// Google's access tokens for a service account (RFC 7523): a claim signed with the account's key is exchanged for a token of an hour,
/// which is kept until shortly before its end.
/// </summary>
internal sealed class AccessTokens(IHttpClientFactory clients, IOptions<PushOptions> options, TimeProvider time) : IDisposable
{
    private const string Scope = "https://www.googleapis.com/auth/firebase.messaging";

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim one = new(1);
    private (string Token, DateTimeOffset Until)? kept;

    public async Task<string> GetAsync(CancellationToken ct)
    {
        await one.WaitAsync(ct);
        try
        {
            if (kept is not { } token || token.Until <= time.GetUtcNow())
            {
                kept = token = await AskAsync(ct);
            }
            return token.Token;
        }
        finally
        {
            one.Release();
        }
    }

    /// <summary>It was refused: the next call asks for another.</summary>
    public void Forget(string token)
    {
        if (kept?.Token == token)
        {
            kept = null;
        }
    }

    public void Dispose() => one.Dispose();

    private async Task<(string, DateTimeOffset)> AskAsync(CancellationToken ct)
    {
        var account = ServiceAccount.Read(options.Value.ServiceAccount ?? "")
            ?? throw new InvalidOperationException("The service account's key file cannot be read any more");
        var url = options.Value.TokenUrl ?? account.TokenUrl;
        var now = time.GetUtcNow();
        var claim = Jwt.Create(
            new()
            {
                ["iss"] = account.Email,
                ["scope"] = Scope,
                ["aud"] = account.TokenUrl,
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = (now + Lifetime).ToUnixTimeSeconds(),
            },
            SigningKey.Rsa(account.Key, account.KeyId));
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new FormUrlEncodedContent(
            [
                new("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), new("assertion", claim),
            ]),
        };
        using var http = clients.CreateClient(Pusher.Client);
        using var answer = await http.SendAsync(request.MayRepeat(), ct);
        if (!answer.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"No access token for the service account: status {(int)answer.StatusCode}");
        }
        var granted = await answer.Content.ReadFromJsonAsync(PushJson.Default.AccessToken, ct);
        return granted?.Token is { Length: > 0 } token
            ? (token, now + TimeSpan.FromSeconds(Math.Max(granted.ExpiresIn, 0)) - Margin)
            : throw new HttpRequestException("No access token for the service account: the answer holds none");
    }
}
