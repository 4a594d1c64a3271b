using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
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
        Secure = context.Request.IsHttps || (IsTlsRequired(context) && !IsDevelopmentAtHome(context)),
    };

    /// <summary>
    /// False where a browser will not keep the cookie: over plain http, unless the host is the browser's own machine, which browsers trust.
    /// </summary>
    public static bool IsKept(HttpContext context) => context.Request.IsHttps || !IsTlsRequired(context) || IsDevelopmentAtHome(context)
        || context.Request.Host.Host is "localhost" or "127.0.0.1" or "[::1]";

    private static bool IsTlsRequired(HttpContext context) =>
        context.RequestServices.GetRequiredService<IOptions<SessionOptions>>().Value.RequireTls;

    private static bool IsDevelopmentAtHome(HttpContext context) =>
        context.RequestServices.GetRequiredService<IHostEnvironment>().IsDevelopment()
        && context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address);
}
