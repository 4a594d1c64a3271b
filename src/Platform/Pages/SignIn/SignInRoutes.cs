using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>
/// In and out of the pages: with an e-mail address and a password, with an API key, and on a Development host without either.
/// </summary>
internal static class SignInRoutes
{
    public const string Path = "/signin";

    public static void MapSignIn(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapForms();
        pages.MapGet(Path, Show);
        pages.MapPost(Path, WithPasswordAsync);
        pages.MapPost($"{Path}/key", WithKeyAsync);
        if (routes.ServiceProvider.GetRequiredService<IHostEnvironment>().IsDevelopment())
        {
            pages.MapPost($"{Path}/development", AsDeveloperAsync);
        }
        pages.MapPost("/signout", (Delegate)SignOutAsync);
    }

    internal static IResult Show(HttpContext context, [FromQuery(Name = "return")] string? wayBack = null) =>
        context.SignedIn() is null ? Form(wayBack) : TypedResults.LocalRedirect(Local(wayBack));

    internal static async Task<IResult> WithPasswordAsync(
        HttpContext context, PasswordSignIn passwords, BrowserSignIn browser, CancellationToken ct,
        [FromForm] string? email = null, [FromForm] string? password = null, [FromForm(Name = "return")] string? wayBack = null)
    {
        try
        {
            var person = await passwords.ProveAsync(email, password, context.Connection.RemoteIpAddress, ct);
            await browser.BeginAsync(context, person, "password", ct);
        }
        catch (Failure failure) when (failure.Kind == FailureKind.Unauthenticated)
        {
            return Form(wayBack, failure.Message, email: email);
        }
        return TypedResults.LocalRedirect(Local(wayBack));
    }

    internal static async Task<IResult> WithKeyAsync(
        HttpContext context, KeySignIn keys, BrowserSignIn browser, CancellationToken ct,
        [FromForm] string? key = null, [FromForm(Name = "return")] string? wayBack = null)
    {
        if (await keys.ProveAsync(key, context.Connection.RemoteIpAddress, ct) is not { } found)
        {
            return Form(wayBack, keyProblem: "This key opens nothing here.");
        }
        await browser.BeginAsync(context, found, ct);
        return TypedResults.LocalRedirect(Local(wayBack));
    }

    internal static async Task<IResult> AsDeveloperAsync(
        HttpContext context, DevelopmentSignIn developer, BrowserSignIn browser, CancellationToken ct,
        [FromForm(Name = "return")] string? wayBack = null)
    {
        await browser.BeginAsync(context, await developer.FindOrCreateAsync(ct), "development", ct);
        return TypedResults.LocalRedirect(Local(wayBack));
    }

    internal static async Task<IResult> SignOutAsync(HttpContext context, BrowserSignIn browser, CancellationToken ct)
    {
        await browser.EndAsync(context, ct);
        return TypedResults.LocalRedirect("/");
    }

    private static RazorComponentResult<SignIn> Form(
        string? wayBack, string? problem = null, string? keyProblem = null, string? email = null) =>
        new(new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            [nameof(SignIn.Return)] = Local(wayBack),
            [nameof(SignIn.Problem)] = problem,
            [nameof(SignIn.KeyProblem)] = keyProblem,
            [nameof(SignIn.Email)] = email,
        })
        {
            StatusCode = (problem ?? keyProblem) is null ? StatusCodes.Status200OK : StatusCodes.Status401Unauthorized,
        };

    /// <summary>Only a place of ours: a sign-in that leads elsewhere would lend its trust to that place.</summary>
    internal static string Local(string? wayBack) => RedirectHttpResult.IsLocalUrl(wayBack) && wayBack.StartsWith('/') ? wayBack : "/";
}
