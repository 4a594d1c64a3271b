using System.Net;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Limits;

namespace Stoa.Platform.Pages;

/// <summary>In and out of the pages with an API key.</summary>
internal static partial class SignInRoutes
{
    public const string Path = "/signin";

    private const int AttemptsPerMinute = 10;
    private const int LargestForm = 16 << 10;

    public static void MapSignIn(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").AsPage().WithMetadata(new RequestSizeLimitAttribute(LargestForm));
        pages.MapGet(Path, Show);
        pages.MapPost(Path, SignInAsync);
        pages.MapPost("/signout", (Delegate)SignOutAsync).WithMetadata(new RequireAntiforgeryTokenAttribute());
    }

    internal static IResult Show(HttpContext context, KeyRing keys, [FromQuery(Name = "return")] string? wayBack = null) =>
        context.SignedInKey() is null ? Form(keys, wayBack) : TypedResults.LocalRedirect(Local(wayBack));

    internal static async Task<IResult> SignInAsync(
        HttpContext context, KeyRing keys, ILimits limits, ILoggerFactory loggers,
        [FromForm(Name = "key")] string? token = null, [FromForm(Name = "return")] string? wayBack = null)
    {
        var logger = loggers.CreateLogger(typeof(SignInRoutes));
        var attempts = new LimitKey(OwnerOf(context.Connection.RemoteIpAddress), "signin");
        var window = TimeSpan.FromMinutes(1);
        var attempt = await limits.TakeAsync(attempts, AttemptsPerMinute, window, 1, context.RequestAborted);
        if (!attempt.Allowed)
        {
            throw Failure.TooMany("Too many attempts to sign in. Wait a moment and try again.", attempt.RetryAfter);
        }
        if (keys.Find((token ?? "").AsSpan().Trim()) is not { } key)
        {
            LogRefused(logger);
            return Form(keys, wayBack, "This key opens nothing here.");
        }
        limits.Settle(attempts, window, -1, attempt.TakenAt);
        keys.Used(key);
        await PageSession.BeginAsync(context, key);
        LogSignedIn(logger, key.Id);
        return TypedResults.LocalRedirect(Local(wayBack));
    }

    internal static async Task<IResult> SignOutAsync(HttpContext context)
    {
        await PageSession.EndAsync(context);
        return TypedResults.LocalRedirect("/");
    }

    private static RazorComponentResult<SignIn> Form(KeyRing keys, string? wayBack, string? problem = null) =>
        new(new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            [nameof(SignIn.Return)] = Local(wayBack),
            [nameof(SignIn.Problem)] = problem,
            [nameof(SignIn.DevelopmentToken)] = keys.DevelopmentToken,
        })
        {
            StatusCode = problem is null ? StatusCodes.Status200OK : StatusCodes.Status401Unauthorized,
        };

    /// <summary>Only a place of ours: a sign-in that leads elsewhere would lend its trust to that place.</summary>
    private static string Local(string? wayBack) => RedirectHttpResult.IsLocalUrl(wayBack) && wayBack.StartsWith('/') ? wayBack : "/";

    /// <summary>An IPv6 network of 64 bits counts as one address: its owner has all of it.</summary>
    private static Guid OwnerOf(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address?.MapToIPv6() is { } wide && wide.TryWriteBytes(bytes, out _) && !wide.IsIPv4MappedToIPv6)
        {
            bytes[8..].Clear();
        }
        return new(bytes);
    }

    [LoggerMessage(LogLevel.Information, "Key {Key} signed in to the pages")]
    private static partial void LogSignedIn(ILogger logger, Guid key);

    [LoggerMessage(LogLevel.Information, "A sign-in to the pages was refused: the key is unknown, revoked or expired")]
    private static partial void LogRefused(ILogger logger);
}
