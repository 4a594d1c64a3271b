using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>What the page of keys does: make, replace, revoke.</summary>
internal static class KeyRoutes
{
    public const string Path = "/console/keys";

    public static void MapKeyPages(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapForms(Path).ForSignedIn(MemberRole.Admin);
        pages.MapGet("", ([FromQuery] Guid? after = null) => FormPages.Show<Keys>((nameof(Keys.After), after)));
        pages.MapPost("", CreateAsync);
        pages.MapPost("/{id:guid}/rotate", RotateAsync);
        pages.MapPost("/{id:guid}/revoke", RevokeAsync);
    }

    internal static Task<IResult> CreateAsync(
        HttpContext context, KeyStore keys, TimeProvider time, CancellationToken ct, [FromForm] string? name = null,
        [FromForm(Name = "is_admin")] string? isAdmin = null, [FromForm] string? days = null) =>
        FormPages.RunAsync<Keys>(async () =>
        {
            var caller = context.SignedIn()!;
            var now = time.GetUtcNow();
            var terms = new KeyTerms((name ?? "").Trim(), isAdmin is not null, ExpiresAt: EndOf(days, now));
            Failure.ThrowIfAny(terms.Check(now));
            return Made(await keys.CreateAsync(caller.OrganizationId, terms, caller.Actor, ct));
        }, ("name", name), ("is_admin", isAdmin), ("days", days));

    internal static Task<IResult> RotateAsync(Guid id, HttpContext context, KeyStore keys, CancellationToken ct) =>
        FormPages.RunAsync<Keys>(async () =>
        {
            var caller = context.SignedIn()!;
            return Made(await keys.RotateAsync(caller.OrganizationId, id, new RotationTerms().Overlap, caller.Actor, ct));
        });

    internal static Task<IResult> RevokeAsync(Guid id, HttpContext context, KeyStore keys, CancellationToken ct) =>
        FormPages.RunAsync<Keys>(async () =>
        {
            var caller = context.SignedIn()!;
            await keys.RevokeAsync(caller.OrganizationId, id, caller.Actor, ct);
            return TypedResults.LocalRedirect(Path);
        });

    private static RazorComponentResult Made(NewKey key) => FormPages.Show<Keys>((nameof(Keys.Made), key));

    private static DateTimeOffset? EndOf(string? days, DateTimeOffset now) => string.IsNullOrWhiteSpace(days) ? null
        : int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
        && count is > 0 and <= 3650 ? now.AddDays(count)
        : throw Failure.Invalid("The key must end after 1 to 3650 days, or never", "days");
}
