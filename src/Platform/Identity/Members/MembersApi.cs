using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>The people of the organization that the caller acts for, and those who are asked in.</summary>
internal static class MembersApi
{
    public static void MapMembers(this IEndpointRouteBuilder routes)
    {
        var members = routes.MapGroup("/members").WithTags("Members").RequireCaller(MemberRole.Admin);
        members.MapGet("/", ListAsync).WithSummary("List the members");
        members.MapGet("/{person_id:guid}", GetAsync).WithSummary("Read a member");
        members.MapPatch("/{person_id:guid}", SetRoleAsync).WithSummary("Give a member another role, effective at once");
        members.MapDelete("/{person_id:guid}", RemoveAsync).WithSummary("Remove a member");

        var invitations = routes.MapGroup("/invitations").WithTags("Invitations");
        invitations.MapGet("/", ListInvitationsAsync).RequireCaller(MemberRole.Admin).WithSummary("List invitations");
        invitations.MapPost("/", InviteAsync).RequireCaller(MemberRole.Admin)
            .WithSummary("Invite somebody; the link's token is shown once");
        invitations.MapDelete("/{id:guid}", WithdrawAsync).RequireCaller(MemberRole.Admin).WithSummary("Withdraw an invitation");
        invitations.MapPost("/accept", AcceptAsync).RequirePerson().WithSummary("Accept as the person who is signed in");
    }

    internal static async Task<Ok<Listing<Member>>> ListAsync(
        Caller caller, MemberStore members, CancellationToken ct, Guid? after = null, int limit = 50) =>
        TypedResults.Ok(await Listing.ReadAsync(
            limit, most => members.ListAsync(caller.OrganizationId, after, most, ct), member => member.PersonId));

    internal static async Task<Ok<Member>> GetAsync(
        [FromRoute(Name = "person_id")] Guid personId, Caller caller, MemberStore members, CancellationToken ct) =>
        TypedResults.Ok(await members.GetAsync(caller.OrganizationId, personId, ct));

    internal static async Task<Ok<Member>> SetRoleAsync(
        [FromRoute(Name = "person_id")] Guid personId, RoleChange change, Caller caller, MemberStore members,
        CancellationToken ct) =>
        TypedResults.Ok(await members.SetRoleAsync(caller, personId, change.Role ?? throw Failure.Invalid("is required", "role"), ct));

    internal static async Task<NoContent> RemoveAsync(
        [FromRoute(Name = "person_id")] Guid personId, Caller caller, MemberStore members, CancellationToken ct)
    {
        await members.RemoveAsync(caller, personId, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Ok<Listing<InvitationView>>> ListInvitationsAsync(
        Caller caller, InvitationStore invitations, CancellationToken ct, Guid? after = null, int limit = 50) =>
        TypedResults.Ok(await Listing.ReadAsync(
            limit, most => invitations.ListAsync(caller.OrganizationId, after, most, ct), invitation => invitation.Id));

    internal static async Task<Created<NewInvitation>> InviteAsync(
        InvitationRequest request, Caller caller, InvitationStore invitations, CancellationToken ct) =>
        TypedResults.Created(
            (string?)null, await invitations.CreateAsync(caller, request.Email, request.Role ?? MemberRole.Member, ct));

    internal static async Task<NoContent> WithdrawAsync(Guid id, Caller caller, InvitationStore invitations, CancellationToken ct)
    {
        await invitations.RevokeAsync(caller.OrganizationId, id, caller.Actor, ct);
        return TypedResults.NoContent();
    }

    internal static async Task<Ok<InvitationView>> AcceptAsync(
        Acceptance acceptance, Caller caller, InvitationStore invitations, CancellationToken ct) =>
        TypedResults.Ok(await invitations.AcceptAsync(acceptance.Token, caller.RequirePerson(), ct));

    internal sealed record RoleChange(MemberRole? Role);

    internal sealed record InvitationRequest(string? Email, MemberRole? Role);

    internal sealed record Acceptance(string? Token);
}
