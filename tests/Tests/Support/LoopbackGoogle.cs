using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Stoa.Tests.Platform.Egress;

namespace Stoa.Tests.Support;

/// <summary>
/// Google's authorization and token addresses on loopback, with an issuer behind: a code is good once and gives an ID token.
/// </summary>
internal sealed class LoopbackGoogle : IAsyncDisposable
{
    public const string ClientId = "123.apps.googleusercontent.com";

    private const string ClientSecret = "the app's secret";
    private const string Key = "k1";

    private readonly ConcurrentDictionary<string, (string Redirect, string Challenge, JsonObject Claims)> codes =
        new(StringComparer.Ordinal);
    private LoopbackSite site = null!;
    private LoopbackIssuer issuer = null!;
    private int last;

    public static async Task<LoopbackGoogle> StartAsync()
    {
        var google = new LoopbackGoogle { issuer = await LoopbackIssuer.StartAsync(Key) };
        google.site = await LoopbackSite.StartAsync(google.AnswerAsync);
        return google;
    }

    public Dictionary<string, string?> Settings => new(StringComparer.OrdinalIgnoreCase)
    {
        ["Google:ClientId"] = ClientId,
        ["Google:ClientSecret"] = ClientSecret,
        ["Google:AuthorizeUrl"] = new Uri(site.Url, "/o/oauth2/v2/auth").AbsoluteUri,
        ["Google:TokenUrl"] = new Uri(site.Url, "/token").AbsoluteUri,
        ["Google:CertificatesUrl"] = issuer.Certificates.AbsoluteUri,
    };

    /// <summary>What happens when somebody agrees: the path that Google sends his browser to.</summary>
    public string Agree(string authorizeAddress, string subject, string email, bool isVerified = true, string audience = ClientId)
    {
        Assert.StartsWith(new Uri(site.Url, "/o/oauth2/v2/auth?").AbsoluteUri, authorizeAddress, StringComparison.Ordinal);
        var asked = QueryHelpers.ParseQuery(new Uri(authorizeAddress).Query);
        Assert.Equal(("code", ClientId, "openid email profile", "S256"),
            ($"{asked["response_type"]}", $"{asked["client_id"]}", $"{asked["scope"]}", $"{asked["code_challenge_method"]}"));
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var code = $"code-{Interlocked.Increment(ref last)}";
        codes[code] = ($"{asked["redirect_uri"]}", $"{asked["code_challenge"]}", new()
        {
            ["iss"] = "https://accounts.google.com", ["aud"] = audience,
            ["sub"] = subject, ["email"] = email, ["email_verified"] = isVerified,
            ["given_name"] = "Ada", ["family_name"] = "Lovelace", ["iat"] = now, ["exp"] = now + 3600,
        });
        return QueryHelpers.AddQueryString(
            new Uri($"{asked["redirect_uri"]}").AbsolutePath,
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["code"] = code, ["state"] = $"{asked["state"]}" });
    }

    public async ValueTask DisposeAsync()
    {
        await site.DisposeAsync();
        await issuer.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($"{form["code_verifier"]}")));
        if (!codes.TryRemove($"{form["code"]}", out var grant) || grant.Redirect != form["redirect_uri"] || grant.Challenge != challenge
            || form["client_id"] != ClientId || form["client_secret"] != ClientSecret || form["grant_type"] != "authorization_code")
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("""{"error":"invalid_grant"}""");
            return;
        }
        await context.Response.WriteAsync(
            $$"""{"access_token":"x","token_type":"Bearer","id_token":"{{issuer.Sign(grant.Claims, Key)}}"}""");
    }
}
