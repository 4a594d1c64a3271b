using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>To Discord and back: to sign in, or to link an account to whoever is signed in. Not there unless Discord is configured.</summary>
internal static class DiscordRoutes
{
    public const string Provider = "discord";
    public const string LinkPath = "/account/discord";

    public static void MapDiscord(this IEndpointRouteBuilder routes)
    {
        if (!routes.ServiceProvider.GetRequiredService<IOptions<DiscordOptions>>().Value.IsConfigured)
        {
            return;
        }
        var pages = routes.MapGroup("").AsPage();
        pages.MapGet(DiscordFlow.Path, SignIn);
        pages.MapPost(LinkPath, Link).WithMetadata(new RequestSizeLimitAttribute(SignInRoutes.LargestForm));
        pages.MapGet(DiscordFlow.CallbackPath, EndAsync);
    }

    internal static RedirectHttpResult SignIn(HttpContext context, DiscordFlow flow, [FromQuery(Name = "return")] string? wayBack = null) =>
        TypedResults.Redirect(flow.Begin(context, SignInRoutes.Local(wayBack), linkFor: null));

    /// <summary>
    /// By a form of ours only, so that no other site can begin it. The answer is a page that goes on by itself: our content policy lets
    /// forms lead to this site only, and browsers hold redirects to that.
    /// </summary>
    internal static ContentHttpResult Link(HttpContext context, DiscordFlow flow, [FromForm(Name = "return")] string? wayBack = null)
    {
        var caller = context.SignedIn() ?? throw Failure.Unauthenticated("Sign in first");
        var address = flow.Begin(context, SignInRoutes.Local(wayBack), caller.RequirePerson());
        context.Response.Headers["Refresh"] = $"0; url={address}";
        return TypedResults.Content(
            $"""<!doctype html><html lang="en"><title>Discord</title><a href="{HtmlEncoder.Default.Encode(address)}">Continue to Discord</a></html>""",
            "text/html; charset=utf-8");
    }

    internal static async Task<RedirectHttpResult> EndAsync(
        HttpContext context, DiscordFlow flow, PersonStore people, BrowserSignIn browser, IOptions<DiscordOptions> options, CancellationToken ct,
        string? code = null, string? state = null)
    {
        var (way, identity) = await flow.EndAsync(context, code, state, ct);
        var account = new ProviderIdentity(Provider, identity.Id, Email: null, IsEmailVerified: false, identity.Name);
        if (way.LinkFor is { } person)
        {
            // He may have signed out, or in as somebody else, while he was at Discord.
            var caller = context.SignedIn();
            if (caller?.PersonId != person)
            {
                throw Failure.Forbidden("You are no longer signed in as the person whose account this was to become");
            }
            await people.LinkAsync(person, account, caller.Actor, ct);
            return TypedResults.Redirect(way.WayBack);
        }
        var found = await people.FindOrCreateAsync(account, options.Value.SignUp, ct)
            ?? throw Failure.Forbidden("This Discord account is linked to nobody here. Sign in another way, then link it");
        await browser.BeginAsync(context, found, Provider, ct);
        return TypedResults.Redirect(way.WayBack);
    }
}
