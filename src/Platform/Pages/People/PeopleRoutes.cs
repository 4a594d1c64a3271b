using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>What those who run the installation do with accounts: suspend, let in again, hand out a link for a new password.</summary>
internal static class PeopleRoutes
{
    public const string Path = "/console/people";

    public static void MapPeoplePages(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapForms(Path).ForSignedIn(caller => caller.RequireOperator());
        pages.MapGet("", ([FromQuery] Guid? after = null) => FormPages.Show<People>((nameof(People.After), after)));
        pages.MapPost("/{id:guid}/suspend", (Guid id, HttpContext context, PersonStore people, CancellationToken ct) =>
            SetStateAsync(id, PersonState.Suspended, context, people, ct));
        pages.MapPost("/{id:guid}/reactivate", (Guid id, HttpContext context, PersonStore people, CancellationToken ct) =>
            SetStateAsync(id, PersonState.Active, context, people, ct));
        pages.MapPost("/{id:guid}/password-reset", ResetPasswordAsync);
    }

    private static Task<IResult> SetStateAsync(Guid id, PersonState state, HttpContext context, PersonStore people, CancellationToken ct) =>
        FormPages.RunAsync<People>(async () =>
        {
            await PeopleApi.SetStateAsync(id, new(state), context.SignedIn()!, people, ct);
            return TypedResults.LocalRedirect(Path);
        });

    internal static Task<IResult> ResetPasswordAsync(
        Guid id, HttpContext context, PersonStore people, PasswordResets resets, CancellationToken ct) =>
        FormPages.RunAsync<People>(async () =>
        {
            var made = await resets.CreateAsync(id, context.SignedIn()!, ct);
            var person = await people.FindAsync(id, ct);
            return FormPages.Show<People>((nameof(People.ResetFor), person), (nameof(People.Reset), made));
        });
}
