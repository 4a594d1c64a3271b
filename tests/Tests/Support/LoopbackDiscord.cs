using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Stoa.Tests.Platform.Egress;

namespace Stoa.Tests.Support;

/// <summary>Discord's three addresses on loopback: a code is good once, for its redirect address and its proof key.</summary>
internal sealed class LoopbackDiscord : IAsyncDisposable
{
    public const string ClientId = "app";
    public const string ClientSecret = "app's secret";

    private readonly ConcurrentDictionary<string, Grant> codes = new(StringComparer.Ordinal);
    private LoopbackSite site = null!;
    private int last;

    public Uri Url => site.Url;

    public int Exchanges { get; private set; }

    /// <summary>What it answers instead of a token.</summary>
    public int? Status { get; set; }

    public static async Task<LoopbackDiscord> StartAsync()
    {
        var discord = new LoopbackDiscord();
        discord.site = await LoopbackSite.StartAsync(discord.AnswerAsync);
        return discord;
    }

    public Dictionary<string, string?> Settings => new(StringComparer.OrdinalIgnoreCase)
    {
        ["Discord:ClientId"] = ClientId,
        ["Discord:ClientSecret"] = ClientSecret,
        ["Discord:AuthorizeUrl"] = new Uri(Url, "/oauth2/authorize").AbsoluteUri,
        ["Discord:TokenUrl"] = new Uri(Url, "/api/oauth2/token").AbsoluteUri,
        ["Discord:UserUrl"] = new Uri(Url, "/api/users/@me").AbsoluteUri,
    };

    /// <summary>What happens when somebody agrees: the address that Discord sends his browser to.</summary>
    public string Agree(string authorizeAddress, string user)
    {
        Assert.StartsWith(new Uri(Url, "/oauth2/authorize?").AbsoluteUri, authorizeAddress, StringComparison.Ordinal);
        var asked = QueryHelpers.ParseQuery(new Uri(authorizeAddress).Query);
        Assert.Equal(("code", ClientId, "identify", "S256"),
            ($"{asked["response_type"]}", $"{asked["client_id"]}", $"{asked["scope"]}", $"{asked["code_challenge_method"]}"));
        var code = $"code-{Interlocked.Increment(ref last)}";
        codes[code] = new($"{asked["redirect_uri"]}", $"{asked["code_challenge"]}", user);
        return QueryHelpers.AddQueryString(
            new Uri($"{asked["redirect_uri"]}").AbsolutePath,
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["code"] = code, ["state"] = $"{asked["state"]}" });
    }

    public ValueTask DisposeAsync() => site.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == "/api/users/@me")
        {
            var id = $"{context.Request.Headers.Authorization}".Split("Bearer token-of-")[^1];
            await context.Response.WriteAsync(
                $$"""{"id":"{{id}}","username":"u{{id}}","global_name":"Ada on Discord","email":"x@y.z","verified":true}""");
            return;
        }
        Exchanges++;
        var form = await context.Request.ReadFormAsync();
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($"{form["code_verifier"]}")));
        if (Status is { } status)
        {
            context.Response.StatusCode = status;
        }
        else if (!codes.TryRemove($"{form["code"]}", out var grant)
            || grant.Redirect != form["redirect_uri"] || grant.Challenge != challenge
            || form["client_id"] != ClientId || form["client_secret"] != ClientSecret || form["grant_type"] != "authorization_code")
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("""{"error":"invalid_grant"}""");
        }
        else
        {
            await context.Response.WriteAsync($$"""{"access_token":"token-of-{{grant.User}}","token_type":"Bearer"}""");
        }
    }

    private sealed record Grant(string Redirect, string Challenge, string User);
}
