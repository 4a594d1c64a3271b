using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>Where the link of an invitation leads: to accept as who one is, or to make an account first.</summary>
internal static class InvitationRoutes
{
    public const string Path = "/invitation";

    public static void MapInvitations(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapForms(Path);
        pages.MapGet("", ([FromQuery] string? token = null) => Show(token));
        pages.MapPost("/accept", AcceptAsync);
        pages.MapPost("/join", JoinAsync);
    }

    internal static async Task<IResult> AcceptAsync(
        HttpContext context, InvitationStore invitations, SessionStore sessions, CancellationToken ct, [FromForm] string? token = null)
    {
        if (context.SignedIn() is not { PersonId: { } person } caller)
        {
            return TypedResults.LocalRedirect($"{SignInRoutes.Path}?return={Uri.EscapeDataString($"{Path}?token={token}")}");
        }
        var accepted = await invitations.AcceptAsync(token, person, ct);
        // He came for this organization, so that is where he goes on.
        SessionCookie.Write(context, await sessions.RotateAsync(caller.Session!, ct, accepted.OrganizationId));
        return TypedResults.LocalRedirect("/");
    }

    internal static Task<IResult> JoinAsync(
        HttpContext context, InvitationStore invitations, BrowserSignIn browser, CancellationToken ct,
        [FromForm] string? token = null, [FromForm] string? name = null, [FromForm] string? password = null) =>
        FormPages.RunAsync<InvitationPage>(async () =>
        {
            await browser.BeginAsync(context, await invitations.AcceptAsNewAsync(token, name, password, ct), "invitation", ct);
            return TypedResults.LocalRedirect("/");
        }, ("token", token), ("name", name));

    private static RazorComponentResult Show(string? token) => FormPages.Show<InvitationPage>(
        (nameof(FormPage.Given), new Dictionary<string, string?>(StringComparer.Ordinal) { ["token"] = token }));
}
