using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Pages;

namespace Stoa.Platform.Privacy;

/// <summary>The buttons of the account page that ask for an erasure and take it back.</summary>
internal static class ErasurePages
{
    public static void MapErasurePages(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapForms(AccountRoutes.Path).ForSignedIn();
        pages.MapPost("/erasure", (Delegate)RequestAsync);
        pages.MapPost("/erasure/cancel", (Delegate)CancelAsync);
    }

    internal static Task<IResult> RequestAsync(HttpContext context, Erasure erasure, CancellationToken ct) =>
        FormPages.RunAsync<Account>(async () =>
        {
            var caller = context.SignedIn()!;
            await erasure.RequestAsync(caller.RequirePerson(), caller.Actor, ct);
            return TypedResults.LocalRedirect(AccountRoutes.Path);
        });

    internal static async Task<IResult> CancelAsync(HttpContext context, Erasure erasure, CancellationToken ct)
    {
        var caller = context.SignedIn()!;
        await erasure.CancelAsync(caller.RequirePerson(), caller.Actor, ct);
        return TypedResults.LocalRedirect(AccountRoutes.Path);
    }
}
