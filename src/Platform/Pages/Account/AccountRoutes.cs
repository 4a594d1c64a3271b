using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>What the page of one's own account does. It changes what belongs to whoever is signed in, and names nobody else.</summary>
internal static class AccountRoutes
{
    public const string Path = "/console/account";

    public static void MapAccountPages(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapForms(Path).ForSignedIn();
        pages.MapGet("", ([FromQuery] string? done = null) => FormPages.Show<Account>((nameof(Account.Done), done)));
        pages.MapPost("/profile", UpdateAsync);
        pages.MapPost("/password", ChangePasswordAsync);
        pages.MapPost("/email", ChangeEmailAsync);
        pages.MapPost("/organization", SwitchAsync);
        pages.MapPost("/organizations", CreateOrganizationAsync);
        pages.MapPost("/organizations/{id:guid}/leave", LeaveAsync);
        pages.MapPost("/sessions/{id:guid}/end", EndSessionAsync);
        pages.MapPost("/sessions/end", EndSessionsAsync);
        pages.MapPost("/accounts/{provider}/unlink", UnlinkAsync);
    }

    internal static Task<IResult> UpdateAsync(
        HttpContext context, PersonStore people, CancellationToken ct, [FromForm] string? name = null, [FromForm] string? locale = null,
        [FromForm(Name = "time_zone")] string? timeZone = null) =>
        FormPages.RunAsync<Account>(async () =>
        {
            await MeApi.UpdateAsync(new(name ?? "", locale, timeZone), context.SignedIn()!, people, ct);
            return Done("profile");
        }, ("name", name), ("locale", locale), ("time_zone", timeZone));

    internal static Task<IResult> ChangePasswordAsync(
        HttpContext context, PasswordSignIn passwords, SessionStore sessions, CancellationToken ct,
        [FromForm(Name = "old_password")] string? old = null, [FromForm(Name = "new_password")] string? wanted = null) =>
        FormPages.RunAsync<Account>(async () =>
        {
            await MeApi.ChangePasswordAsync(new(old, wanted), context, context.SignedIn()!, passwords, sessions, ct);
            return Done("password");
        });

    internal static Task<IResult> ChangeEmailAsync(
        HttpContext context, PasswordSignIn passwords, SessionStore sessions, CancellationToken ct,
        [FromForm] string? email = null, [FromForm] string? password = null) =>
        FormPages.RunAsync<Account>(async () =>
        {
            await MeApi.ChangeEmailAsync(new(email, password), context, context.SignedIn()!, passwords, sessions, ct);
            return Done("email");
        }, ("email", email));

    internal static async Task<IResult> SwitchAsync(
        HttpContext context, SessionStore sessions, CancellationToken ct, [FromForm(Name = "organization_id")] Guid? organization = null)
    {
        var caller = context.SignedIn()!;
        caller.RequirePerson();
        await MeApi.SwitchAsync(context, caller, sessions, organization ?? throw Failure.NotFound("Organization"), ct);
        return TypedResults.LocalRedirect("/");
    }

    internal static Task<IResult> CreateOrganizationAsync(
        HttpContext context, OrganizationStore organizations, SessionStore sessions, CancellationToken ct,
        [FromForm] string? slug = null, [FromForm(Name = "organization_name")] string? name = null) =>
        FormPages.RunAsync<Account>(async () =>
        {
            var caller = context.SignedIn()!;
            var made = await organizations.CreateAsync(new(slug, name), caller.RequirePerson(), ct);
            SessionCookie.Write(context, await sessions.RotateAsync(caller.Session!, ct, made.Id));
            return TypedResults.LocalRedirect(MemberRoutes.Path);
        }, ("slug", slug), ("organization_name", name));

    internal static Task<IResult> LeaveAsync(
        Guid id, HttpContext context, MemberStore members, SessionStore sessions, CancellationToken ct) =>
        FormPages.RunAsync<Account>(async () =>
        {
            await MeApi.LeaveAsync(id, context, context.SignedIn()!, members, sessions, ct);
            return Done("left");
        });

    internal static Task<IResult> EndSessionAsync(Guid id, HttpContext context, SessionStore sessions, CancellationToken ct) =>
        FormPages.RunAsync<Account>(async () =>
        {
            var caller = context.SignedIn()!;
            await sessions.EndAsync(caller.RequirePerson(), id, caller.Actor, ct);
            return Done("session");
        });

    internal static async Task<IResult> EndSessionsAsync(HttpContext context, SessionStore sessions, CancellationToken ct)
    {
        await MeApi.EndSessionsAsync(context, context.SignedIn()!, sessions, ct);
        return TypedResults.LocalRedirect(SignInRoutes.Path);
    }

    internal static Task<IResult> UnlinkAsync(string provider, HttpContext context, PersonStore people, CancellationToken ct) =>
        FormPages.RunAsync<Account>(async () =>
        {
            await MeApi.UnlinkAsync(provider, context.SignedIn()!, people, ct);
            return Done("unlinked");
        });

    private static RedirectHttpResult Done(string what) => TypedResults.LocalRedirect($"{Path}?done={what}");
}
