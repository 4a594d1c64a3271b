using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>The first run: from the token of the log to an admin, a named organization and a first key.</summary>
internal static class SetupRoutes
{
    public const string Path = "/setup";

    public static void MapSetup(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapForms(Path);
        pages.MapGet("", ShowAsync);
        pages.MapPost("", RunAsync);
    }

    internal static async Task<IResult> ShowAsync(SetUp setup, CancellationToken ct, [FromQuery] string? token = null) =>
        await setup.IsOpenAsync(ct)
            ? FormPages.Show<Setup>((nameof(FormPage.Given), new Dictionary<string, string?>(StringComparer.Ordinal) { ["token"] = token }))
            : TypedResults.LocalRedirect(SignInRoutes.Path);

    internal static Task<IResult> RunAsync(
        HttpContext context, SetUp setup, BrowserSignIn browser, CancellationToken ct, [FromForm] string? token = null,
        [FromForm] string? organization = null, [FromForm] string? name = null,
        [FromForm] string? email = null, [FromForm] string? password = null) =>
        FormPages.RunAsync<Setup>(async () =>
        {
            var (person, key) = await setup.RunAsync(new(token, organization, name, email, password), ct);
            await browser.BeginAsync(context, person, "setup", ct);
            return FormPages.Show<SetupDone>((nameof(SetupDone.Token), key.Token));
        }, ("token", token), ("organization", organization), ("name", name), ("email", email));
}
