using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>Where the link for a new password leads.</summary>
internal static class PasswordResetRoutes
{
    public const string Path = "/password-reset";

    public static void MapPasswordReset(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapForms(Path);
        pages.MapGet("", ([FromQuery] string? token = null) => FormPages.Show<PasswordResetPage>(
            (nameof(FormPage.Given), new Dictionary<string, string?>(StringComparer.Ordinal) { ["token"] = token })));
        pages.MapPost("", UseAsync);
    }

    internal static Task<IResult> UseAsync(
        HttpContext context, PasswordResets resets, BrowserSignIn browser, CancellationToken ct,
        [FromForm] string? token = null, [FromForm] string? password = null) =>
        FormPages.RunAsync<PasswordResetPage>(async () =>
        {
            await browser.BeginAsync(context, await resets.UseAsync(token, password, ct), "password_reset", ct);
            return TypedResults.LocalRedirect("/");
        }, ("token", token));
}
