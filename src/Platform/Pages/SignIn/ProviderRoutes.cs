using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>
/// To a provider and back: to sign in, or to link an account to whoever is signed in. Only those that are configured are there.
/// </summary>
internal static class ProviderRoutes
{
    public static string LinkPathOf(IProviderSignIn provider) => $"/account/{provider.Provider}";

    public static void MapProviders(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapForms();
        foreach (var provider in routes.ServiceProvider.GetServices<IProviderSignIn>().Where(provider => provider.IsConfigured))
        {
            pages.MapGet(ProviderWays.PathOf(provider),
                (HttpContext context, ProviderWays ways, [FromQuery(Name = "return")] string? wayBack = null) =>
                TypedResults.Redirect(ways.Begin(context, provider, SignInRoutes.Local(wayBack), linkFor: null)));
            pages.MapPost(
                LinkPathOf(provider), (HttpContext context, ProviderWays ways, [FromForm(Name = "return")] string? wayBack = null) =>
                Link(context, provider, ways, wayBack));
            pages.MapGet(ProviderWays.CallbackPathOf(provider), (
                HttpContext context, ProviderWays ways, PersonStore people,
                BrowserSignIn browser, CancellationToken ct, string? code = null,
                string? state = null) => EndAsync(context, provider, ways, people, browser, code, state, ct));
        }
    }

    /// <summary>
    /// By a form of ours only, so that no other site can begin it. The answer is a page that goes on by itself: our content policy lets
    /// forms lead to this site only, and browsers hold redirects to that.
    /// </summary>
    private static ContentHttpResult Link(HttpContext context, IProviderSignIn provider, ProviderWays ways, string? wayBack)
    {
        var caller = context.SignedIn() ?? throw Failure.Unauthenticated("Sign in first");
        var address = ways.Begin(context, provider, SignInRoutes.Local(wayBack), caller.RequirePerson());
        context.Response.Headers["Refresh"] = $"0; url={address}";
        return TypedResults.Content(
            $"""
            <!doctype html><html lang="en"><title>{provider.DisplayName}</title><a href="{HtmlEncoder.Default.Encode(address)}">Continue to {provider.DisplayName}</a></html>
            """,
            "text/html; charset=utf-8");
    }

    private static async Task<RedirectHttpResult> EndAsync(
        HttpContext context, IProviderSignIn provider, ProviderWays ways,
        PersonStore people, BrowserSignIn browser, string? code, string? state,
        CancellationToken ct)
    {
        var (way, account) = await ways.EndAsync(context, provider, code, state, ct);
        if (way.LinkFor is { } person)
        {
            // He may have signed out, or in as somebody else, while he was away.
            var caller = context.SignedIn();
            if (caller?.PersonId != person)
            {
                throw Failure.Forbidden("You are no longer signed in as the person whose account this was to become");
            }
            await people.LinkAsync(person, account, caller.Actor, ct);
            return TypedResults.Redirect(way.WayBack);
        }
        var found = await people.FindOrCreateAsync(account, provider.SignUp, ct) ?? throw Failure.Forbidden(
            $"This {provider.DisplayName} account is linked to nobody here. Sign in another way, then link it");
        await browser.BeginAsync(context, found, provider.Provider, ct);
        return TypedResults.Redirect(way.WayBack);
    }
}
