using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Feedback.Auth;

/// <summary>
/// Sign-in with Discord as the original means it, where it is switched on: a browser is sent to Discord, comes back with a code, and is
/// given a token for the user to whom the Discord account is linked.
/// </summary>
internal static class DiscordLoginApi
{
    private const string Cookie = "stoa.oasst_login";

    public static void MapDiscordLogin(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/login/discord", Begin).WithTags("auth").WithSummary("Send the browser to Discord").AllowAnyone();
        routes.MapGet("/callback/discord", EndAsync).WithTags("auth")
            .WithSummary("Take the browser back from Discord; a token is answered").AllowAnyone();
    }

    internal static RedirectHttpResult Begin(HttpContext context, DiscordLogin login)
    {
        var way = DiscordLogin.NewWay();
        // Lax: Discord sends the browser back from its own site.
        context.Response.Cookies.Append(Cookie, login.Seal(way), new()
        {
            HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps, MaxAge = DiscordLogin.Lifetime,
            Path = $"{context.Request.PathBase}/api/v1",
        });
        return TypedResults.Redirect(login.AuthorizeAddress(CallbackOf(context.Request), way));
    }

    /// <summary>The code as <c>auth_code</c>, or as Discord itself calls it.</summary>
    internal static async Task<Ok<LoginToken>> EndAsync(HttpContext context, DiscordLogin login, CancellationToken ct)
    {
        var query = context.Request.Query;
        var code = $"{(query.ContainsKey("auth_code") ? query["auth_code"] : query["code"])}";
        var way = login.RequireWay(context.Request.Cookies[Cookie], $"{query["state"]}");
        return TypedResults.Ok(await login.TokenAsync(code, way, CallbackOf(context.Request), ct));
    }

    private static string CallbackOf(HttpRequest request) =>
        $"{request.Scheme}://{request.Host.Value}{request.PathBase}/api/v1/callback/discord";

    internal sealed record LoginToken(string AccessToken, string TokenType);
}

internal sealed class DiscordLogin(
    IOptions<FeedbackAuthOptions> feedback, IOptions<DiscordOptions> discord, IOptions<NextAuthOptions> secrets, IHttpClientFactory clients,
    NpgsqlDataSource source, IDataProtectionProvider protection, TimeProvider time)
{
    public const string Client = "feedback.discord_login";

    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan TokenLifetime = TimeSpan.FromMinutes(30);

    // Whoever holds a client's key may name users as he likes; only trusted ones are believed that theirs are Discord's.
    private const string Linked = """
        select u.id from feedback.account a join feedback.user u on u.id = a.user_id
        where a.provider = 'discord' and a.provider_account_id = $1 and u.enabled and not u.deleted
        union all
        select u.id from feedback.user u join feedback.api_client c on c.id = u.api_client_id
        where u.username = $1 and u.auth_method = 'discord' and u.enabled and not u.deleted and c.trusted and c.enabled
        limit 1
        """;

    private readonly ITimeLimitedDataProtector seal = protection.CreateProtector("stoa.feedback.discord").ToTimeLimitedDataProtector();

    public static LoginWay NewWay() => new(
        Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));

    public string Seal(LoginWay way) => seal.Protect($"{way.State} {way.Verifier}", time.GetUtcNow() + Lifetime);

    /// <exception cref="Failure">Not found: the sign-in is not switched on.</exception>
    public string AuthorizeAddress(string callback, LoginWay way)
    {
        Require();
        var address = discord.Value.AuthorizeUrl;
        return $"{address}{(address.Contains('?', StringComparison.Ordinal) ? '&' : '?')}response_type=code&client_id={Uri.EscapeDataString(discord.Value.ClientId!)}"
            + $"&scope=identify&redirect_uri={Uri.EscapeDataString(callback)}&state={way.State}"
            + $"&code_challenge={way.Challenge}&code_challenge_method=S256";
    }

    /// <exception cref="Failure">600: it was not begun in this browser, or too long ago.</exception>
    public LoginWay RequireWay(string? cookie, string state)
    {
        Require();
        try
        {
            if (cookie is not null && seal.Unprotect(cookie).Split(' ') is [var sent, var verifier] && SharedSecret.Matches(state, sent))
            {
                return new(sent, verifier);
            }
        }
        catch (CryptographicException)
        {
            // Refused like one that says something else.
        }
        throw Refused();
    }

    /// <exception cref="Failure">600: Discord refuses the code, or its account is linked to nobody.</exception>
    public async Task<DiscordLoginApi.LoginToken> TokenAsync(string code, LoginWay way, string callback, CancellationToken ct)
    {
        using var http = clients.CreateClient(Client);
        using var exchange = new HttpRequestMessage(HttpMethod.Post, discord.Value.TokenUrl)
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = callback, ["code_verifier"] = way.Verifier,
                ["client_id"] = discord.Value.ClientId!, ["client_secret"] = discord.Value.ClientSecret!,
            }),
        };
        var access = (await AskAsync(http, exchange, DiscordLoginJson.Default.TokenAnswer, ct)).AccessToken;
        using var who = new HttpRequestMessage(HttpMethod.Get, discord.Value.UserUrl)
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", access) },
        };
        var account = (await AskAsync(http, who, DiscordLoginJson.Default.UserAnswer, ct)).Id;
        if (account is null || await source.ListAsync(Statement.Of(Linked, account), row => row.GetGuid(0), ct) is not [var user])
        {
            throw Refused();
        }
        var token = Jwt.Create(
            new() { ["sub"] = user.ToString(), ["exp"] = (time.GetUtcNow() + TokenLifetime).ToUnixTimeSeconds() },
            SigningKey.Hmac(SigningAlgorithm.HS256, secrets.Value.Secrets[0]));
        return new(token, "bearer");
    }

    private static async Task<T> AskAsync<T>(
        HttpClient http, HttpRequestMessage request, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken ct)
        where T : class
    {
        try
        {
            using var answer = await http.SendAsync(request, ct);
            return answer.IsSuccessStatusCode && await answer.Content.ReadFromJsonAsync(type, ct) is { } read ? read : throw Refused();
        }
        catch (Exception error) when (error is HttpRequestException or JsonException)
        {
            throw Refused();
        }
    }

    private void Require()
    {
        if (!feedback.Value.DiscordSignIn || !discord.Value.IsConfigured || secrets.Value.Secrets.Count == 0)
        {
            throw Failure.NotFound("Page");
        }
    }

    private static Failure Refused() => FeedbackCode.InvalidAuthentication.Refusal("The sign-in with Discord failed");

    /// <summary>One sign-in under way, kept in the browser's cookie.</summary>
    /// <param name="Verifier">Proves to Discord that the code comes from whoever began (RFC 7636).</param>
    internal sealed record LoginWay(string State, string Verifier)
    {
        public string Challenge => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));
    }

    internal sealed record TokenAnswer(string? AccessToken);

    internal sealed record UserAnswer(string? Id);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DiscordLogin.TokenAnswer))]
[JsonSerializable(typeof(DiscordLogin.UserAnswer))]
[JsonSerializable(typeof(DiscordLoginApi.LoginToken))]
internal sealed partial class DiscordLoginJson : JsonSerializerContext;
