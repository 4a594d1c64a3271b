using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>Organizations; one that the caller does not act for is not found.</summary>
internal static class OrganizationsApi
{
    public static void MapOrganizations(this IEndpointRouteBuilder routes)
    {
        var organizations = routes.MapGroup("/organizations").WithTags("Organizations");
        organizations.MapPost("/", CreateAsync).RequirePerson().WithSummary("Make an organization, which the caller then owns");
        organizations.MapGet("/{id:guid}", GetAsync).RequireCaller(MemberRole.Viewer)
            .WithSummary("Read the organization that the caller acts for");
        organizations.MapPatch("/{id:guid}", RenameAsync).RequireCaller(MemberRole.Admin)
            .WithSummary("Rename the organization that the caller acts for");
    }

    internal static async Task<Created<Organization>> CreateAsync(
        OrganizationTerms terms, Caller caller, OrganizationStore organizations, CancellationToken ct)
    {
        var made = await organizations.CreateAsync(terms, caller.RequirePerson(), ct);
        return TypedResults.Created($"/api/stoa/organizations/{made.Id}", made);
    }

    internal static async Task<Ok<Organization>> GetAsync(Guid id, Caller caller, OrganizationStore organizations, CancellationToken ct) =>
        TypedResults.Ok(await organizations.FindAsync(Own(id, caller), ct) ?? throw Failure.NotFound("Organization"));

    internal static async Task<Ok<Organization>> RenameAsync(
        Guid id, NewName change, Caller caller, OrganizationStore organizations, CancellationToken ct) =>
        TypedResults.Ok(await organizations.RenameAsync(Own(id, caller), change.Name, caller.Actor, ct));

    private static Guid Own(Guid id, Caller caller) => id == caller.OrganizationId ? id : throw Failure.NotFound("Organization");

    internal sealed record NewName(string? Name);
}
