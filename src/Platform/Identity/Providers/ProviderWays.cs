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
/// One way to a provider and back: begun by this browser (a sealed cookie says so), used once (by whichever host sees it first), and over
/// after ten minutes.
/// </summary>
internal sealed class ProviderWays(SpentTokens spent, IDataProtectionProvider protection, TimeProvider time)
{
    private const int LongestCode = 512;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly IDataProtector seal = protection.CreateProtector("stoa.provider");

    /// <summary>Remembers the way in the browser's cookie and returns where to send the browser.</summary>
    /// <param name="linkFor">The person whose account it shall become; null for a sign-in.</param>
    public string Begin(HttpContext context, IProviderSignIn provider, string wayBack, Guid? linkFor)
    {
        var verifier = Chance();
        var way = new Way(provider.Provider, Chance(), verifier, wayBack, linkFor, time.GetUtcNow() + Lifetime);
        context.Response.Cookies.Append(
            CookieOf(provider), seal.Protect(JsonSerializer.Serialize(way, WayJson.Default.Way)), Terms(context.Request, provider));
        return provider.AuthorizeAddress(
            CallbackOf(context.Request, provider), way.State, Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))));
    }

    /// <summary>The way that ends here, and whom the provider vouches for.</summary>
    /// <exception cref="Failure">Invalid: not begun in this browser, begun too long ago, or used. Unauthenticated: the provider says
    /// no.</exception>
    public async Task<(Way Way, ProviderIdentity Identity)> EndAsync(
        HttpContext context, IProviderSignIn provider, string? code, string? state, CancellationToken ct)
    {
        var way = Read(context.Request.Cookies[CookieOf(provider)]);
        context.Response.Cookies.Delete(CookieOf(provider), Terms(context.Request, provider));
        if (way is null || way.Provider != provider.Provider || way.Until <= time.GetUtcNow()
            || state is null || !SharedSecret.Matches(state, way.State)
            || !await spent.SpendAsync($"{way.Provider}:{way.State}", way.Until, ct))
        {
            throw Failure.Invalid("This sign-in is over or was begun elsewhere. Begin again.");
        }
        return code is { Length: > 0 and <= LongestCode }
            ? (way, await provider.ExchangeAsync(code, way.Verifier, CallbackOf(context.Request, provider), ct))
            : throw ProviderCalls.Refused(provider);
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

    public static string PathOf(IProviderSignIn provider) => $"/signin/{provider.Provider}";

    public static string CallbackPathOf(IProviderSignIn provider) => $"{PathOf(provider)}/callback";

    private static string CookieOf(IProviderSignIn provider) => $"stoa.{provider.Provider}";

    private static Uri CallbackOf(HttpRequest request, IProviderSignIn provider) =>
        new($"{request.Scheme}://{request.Host.Value}{request.PathBase}{CallbackPathOf(provider)}");

    // Lax: the provider sends the browser back from its own site.
    private static CookieOptions Terms(HttpRequest request, IProviderSignIn provider) => new()
    {
        Path = $"{request.PathBase}{PathOf(provider)}",
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = request.IsHttps,
        MaxAge = Lifetime,
    };

    internal sealed record Way(string Provider, string State, string Verifier, string WayBack, Guid? LinkFor, DateTimeOffset Until);
}

[JsonSerializable(typeof(ProviderWays.Way))]
internal sealed partial class WayJson : JsonSerializerContext;
