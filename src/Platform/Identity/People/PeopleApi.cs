using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Everybody who has an account, of whatever organization: for those who run the installation.</summary>
internal static class PeopleApi
{
    public static void MapPeople(this IEndpointRouteBuilder routes)
    {
        var people = routes.MapGroup("/people").WithTags("People").RequireOperator();
        people.MapGet("/", ListAsync).WithSummary("List everybody who has an account");
        people.MapGet("/{id:guid}", GetAsync).WithSummary("Read an account");
        people.MapPatch("/{id:guid}", SetStateAsync).WithSummary("Suspend an account, which ends its sessions, or let it in again");
        people.MapPost("/{id:guid}/password-reset", ResetPasswordAsync)
            .WithSummary("Make a link by which the person sets a new password; its token is shown once");
    }

    internal static async Task<Ok<Listing<PersonRow>>> ListAsync(
        PersonStore people, CancellationToken ct, Guid? after = null, int limit = 50) =>
        TypedResults.Ok(await Listing.ReadAsync(
            limit, async most => (await people.ListAsync(after, most, ct)).ConvertAll(PersonRow.Of), row => row.Id));

    internal static async Task<Ok<PersonRow>> GetAsync(Guid id, PersonStore people, CancellationToken ct) =>
        TypedResults.Ok(PersonRow.Of(await people.FindAsync(id, ct) ?? throw Failure.NotFound("Person")));

    internal static async Task<Ok<PersonRow>> SetStateAsync(
        Guid id, StateChange change, Caller caller, PersonStore people, CancellationToken ct)
    {
        if (change.State is not (PersonState.Active or PersonState.Suspended))
        {
            throw Failure.Invalid("state must be active or suspended", "state");
        }
        if (id == caller.PersonId)
        {
            throw new Failure(FailureKind.Conflict, "own_account", "You cannot suspend yourself");
        }
        return TypedResults.Ok(PersonRow.Of(await people.SetStateAsync(id, change.State.Value, caller, ct)));
    }

    internal static async Task<Created<NewPasswordReset>> ResetPasswordAsync(
        Guid id, Caller caller, PasswordResets resets, CancellationToken ct) =>
        TypedResults.Created((string?)null, await resets.CreateAsync(id, caller, ct));

    internal sealed record StateChange(PersonState? State);

    internal sealed record PersonRow(
        Guid Id, string Name, string? Email, PersonState State,
        DateTimeOffset CreatedAt, DateTimeOffset? LastSignInAt, DateTimeOffset? EraseAt)
    {
        public static PersonRow Of(Person person) =>
            new(person.Id, person.Name, person.Email, person.State, person.CreatedAt, person.LastSignInAt, person.EraseAt);
    }
}
