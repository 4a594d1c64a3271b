using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Platform.Identity;

/// <summary>
/// One way to Discord and back: begun by this browser (a sealed cookie says so), used once (by whichever host sees it first), and over
/// after ten minutes.
/// </summary>
internal sealed class DiscordFlow(DiscordClient discord, SpentTokens spent, IDataProtectionProvider protection, TimeProvider time)
{
    public const string Cookie = "stoa.discord";

    public const string Path = "/signin/discord";
    public const string CallbackPath = $"{Path}/callback";

    private const int LongestCode = 512;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly IDataProtector seal = protection.CreateProtector("stoa.discord");

    /// <summary>Remembers the way in the browser's cookie and returns where to send the browser.</summary>
    /// <param name="linkFor">The person whose account it shall become; null for a sign-in.</param>
    public string Begin(HttpContext context, string wayBack, Guid? linkFor)
    {
        var verifier = Chance();
        var way = new Way(Chance(), verifier, wayBack, linkFor, time.GetUtcNow() + Lifetime);
        context.Response.Cookies.Append(Cookie, seal.Protect(JsonSerializer.Serialize(way, WayJson.Default.Way)), Terms(context.Request));
        return discord.AuthorizeAddress(
            CallbackOf(context.Request), way.State, Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))));
    }

    /// <summary>The way that ends here, and whom Discord vouches for.</summary>
    /// <exception cref="Failure">Invalid: not begun in this browser, begun too long ago, or used. Unauthenticated: Discord says no.</exception>
    public async Task<(Way Way, DiscordIdentity Identity)> EndAsync(HttpContext context, string? code, string? state, CancellationToken ct)
    {
        var way = Read(context.Request.Cookies[Cookie]);
        context.Response.Cookies.Delete(Cookie, Terms(context.Request));
        if (way is null || way.Until <= time.GetUtcNow() || state is null || !SharedSecret.Matches(state, way.State)
            || !await spent.SpendAsync($"discord:{way.State}", way.Until, ct))
        {
            throw Failure.Invalid("This sign-in is over or was begun elsewhere. Begin again.");
        }
        return code is { Length: > 0 and <= LongestCode }
            ? (way, await discord.ExchangeAsync(code, way.Verifier, CallbackOf(context.Request), ct))
            : throw DiscordClient.Refused();
    }

    private Way? Read(string? cookie)
    {
        if (cookie is null)
        {
            return null;
        }
        try
        {
            return JsonSerializer.Deserialize(seal.Unprotect(cookie), WayJson.Default.Way);
        }
        catch (Exception error) when (error is CryptographicException or JsonException or FormatException)
        {
            return null;
        }
    }

    private static string Chance() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    private static Uri CallbackOf(HttpRequest request) =>
        new($"{request.Scheme}://{request.Host.Value}{request.PathBase}{CallbackPath}");

    // Lax: Discord sends the browser back from its own site.
    private static CookieOptions Terms(HttpRequest request) => new()
    {
        Path = $"{request.PathBase}{Path}",
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = request.IsHttps,
        MaxAge = Lifetime,
    };

    internal sealed record Way(string State, string Verifier, string WayBack, Guid? LinkFor, DateTimeOffset Until);
}

[JsonSerializable(typeof(DiscordFlow.Way))]
internal sealed partial class WayJson : JsonSerializerContext;
