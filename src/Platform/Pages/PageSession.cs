using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>
/// Who looks at a page: the holder of an API key, remembered in a cookie. The cookie names the key and proves nothing by itself:
/// each request asks the ring, so a revoked key loses the pages at once.
/// </summary>
public static class PageSession
{
    internal const string Scheme = "pages";

    private const string KeyId = "sub";
    private const string KeyPrefix = "prefix";

    /// <summary>The key that the visitor signed in with, or null.</summary>
    public static ApiKey? SignedInKey(this HttpContext context) => context.Features.Get<SignedIn>()?.Key;

    internal static void Configure(CookieAuthenticationOptions cookies)
    {
        cookies.Cookie.Name = "stoa.session";
        cookies.Cookie.HttpOnly = true;
        cookies.Cookie.SameSite = SameSiteMode.Strict;
        cookies.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        cookies.ExpireTimeSpan = TimeSpan.FromHours(12);
        cookies.SlidingExpiration = true;
        cookies.Events.OnValidatePrincipal = context =>
        {
            if (Find(context.HttpContext, context.Principal!) is { } key)
            {
                context.HttpContext.Features.Set(new SignedIn(key));
            }
            else
            {
                context.RejectPrincipal();
            }
            return Task.CompletedTask;
        };
    }

    /// <summary>Takes the visitor from the cookie, if there is one that holds.</summary>
    internal static async Task OpenAsync(HttpContext context)
    {
        if (await context.AuthenticateAsync(Scheme) is { Principal: { } visitor })
        {
            context.User = visitor;
        }
    }

    internal static Task BeginAsync(HttpContext context, ApiKey key)
    {
        var identity = new ClaimsIdentity([new(KeyId, key.Id.ToString()), new(KeyPrefix, key.Prefix)], Scheme);
        return context.SignInAsync(Scheme, new ClaimsPrincipal(identity));
    }

    internal static Task EndAsync(HttpContext context) => context.SignOutAsync(Scheme);

    private static ApiKey? Find(HttpContext context, ClaimsPrincipal visitor)
    {
        var ring = context.RequestServices.GetRequiredService<KeyRing>();
        if (!Guid.TryParse(visitor.FindFirstValue(KeyId), out var id)
            || ring.FindLive(id, visitor.FindFirstValue(KeyPrefix)) is not { } key)
        {
            return null;
        }
        ring.Used(key);
        return key;
    }

    private sealed record SignedIn(ApiKey Key);
}
