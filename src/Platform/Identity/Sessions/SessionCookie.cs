using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>The cookie that carries a session's token: out of reach of scripts, and never sent by another site's form.</summary>
internal static class SessionCookie
{
    public static string Name => AccessScheme.Session.Parameter;

    public static string? Read(HttpRequest request) => request.Cookies.TryGetValue(Name, out var token) ? token : null;

    public static void Write(HttpContext context, NewSession session)
    {
        var cookie = Terms(context);
        cookie.Expires = session.ExpiresAt;
        context.Response.Cookies.Append(Name, session.Token, cookie);
    }

    public static void Delete(HttpContext context) => context.Response.Cookies.Delete(Name, Terms(context));

    private static CookieOptions Terms(HttpContext context) => new()
    {
        Path = "/",
        HttpOnly = true,
        IsEssential = true,
        SameSite = SameSiteMode.Lax,
        Secure = context.Request.IsHttps || !IsDevelopmentAtHome(context),
    };

    private static bool IsDevelopmentAtHome(HttpContext context) =>
        context.RequestServices.GetRequiredService<IHostEnvironment>().IsDevelopment()
        && context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address);
}
