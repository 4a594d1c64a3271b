using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Pages;

/// <summary>What the page of members does: invite, give another role, remove.</summary>
internal static class MemberRoutes
{
    public const string Path = "/console/members";

    public static void MapMemberPages(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapForms(Path).ForSignedIn(MemberRole.Admin);
        pages.MapGet("", ([FromQuery] Guid? after = null) => FormPages.Show<Members>((nameof(Members.After), after)));
        pages.MapPost("/invite", InviteAsync);
        pages.MapPost("/invitations/{id:guid}/withdraw", WithdrawAsync);
        pages.MapPost("/{person:guid}/role", SetRoleAsync);
        pages.MapPost("/{person:guid}/remove", RemoveAsync);
    }

    internal static Task<IResult> InviteAsync(
        HttpContext context, InvitationStore invitations, CancellationToken ct,
        [FromForm] string? email = null, [FromForm] string? role = null) =>
        FormPages.RunAsync<Members>(async () =>
        {
            var made = await invitations.CreateAsync(context.SignedIn()!, email, RoleOf(role), ct);
            var link = $"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}{InvitationRoutes.Path}?token={made.Token}";
            return FormPages.Show<Members>((nameof(Members.Invited), made.Invitation), (nameof(Members.Link), link));
        }, ("email", email), ("role", role));

    internal static Task<IResult> WithdrawAsync(Guid id, HttpContext context, InvitationStore invitations, CancellationToken ct) =>
        FormPages.RunAsync<Members>(async () =>
        {
            var caller = context.SignedIn()!;
            await invitations.RevokeAsync(caller.OrganizationId, id, caller.Actor, ct);
            return TypedResults.LocalRedirect(Path);
        });

    internal static Task<IResult> SetRoleAsync(
        Guid person, HttpContext context, MemberStore members, CancellationToken ct, [FromForm] string? role = null) =>
        FormPages.RunAsync<Members>(async () =>
        {
            await members.SetRoleAsync(context.SignedIn()!, person, RoleOf(role), ct);
            return TypedResults.LocalRedirect(Path);
        });

    internal static Task<IResult> RemoveAsync(Guid person, HttpContext context, MemberStore members, CancellationToken ct) =>
        FormPages.RunAsync<Members>(async () =>
        {
            await members.RemoveAsync(context.SignedIn()!, person, ct);
            return TypedResults.LocalRedirect(Path);
        });

    private static MemberRole RoleOf(string? text) =>
        Enum.GetValues<MemberRole>().Where(role => EnumNames<MemberRole>.Write(role) == text)
        .Select(role => (MemberRole?)role).FirstOrDefault()
        ?? throw Failure.Invalid("role must be viewer, member, admin or owner", "role");
}
