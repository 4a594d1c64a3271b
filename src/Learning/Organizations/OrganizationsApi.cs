using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Organizations;

internal static class OrganizationsApi
{
    public static void MapOrganizations(this IEndpointRouteBuilder routes)
    {
        var organizations = routes.MapGroup("/organizations").WithTags("organizations");
        organizations.MapPost("/", CreateAsync).RequireLearner().WithSummary("Make a school of one's own");
        organizations.MapGet("/", ListAsync).RequireLearner()
            .WithSummary("List schools: all for who runs the installation, else one's own");
        organizations.MapGet("/{org_id}", GetAsync).RequireLearner(allowService: true).WithSummary("Read a school");
        organizations.MapGet("/slug/{slug}", GetBySlugAsync).RequireLearner().WithSummary("Read the school of a slug");
        organizations.MapPut("/{org_id}", RenameAsync).RequireLearner().WithSummary("Rename a school");
        organizations.MapGet("/{org_id}/members", MembersAsync).RequireLearner().WithSummary("List who runs a school");
        organizations.MapPost("/{org_id}/members", AddAsync).RequireLearner().WithSummary("Let others run a school too");
        organizations.MapDelete("/{org_id}/members", RemoveAsync).RequireLearner().WithSummary("Keep some from running a school");
        organizations.MapGet("/{org_id}/budget", BudgetAsync).RequireLearner()
            .WithSummary("Read what a school may spend this month, and has spent");
        organizations.MapPut("/{org_id}/budget", SetBudgetAsync).RequireLearner()
            .WithSummary("Set what a school may spend each month, as who runs the installation");
        organizations.MapPut("/{org_id}/payer", SetPayerAsync).RequireLearner()
            .WithSummary("Let an organization that one administers pay for a school, or none");
    }

    internal static async Task<Ok<Made>> CreateAsync(
        Body<CreateOrganizationRequest> body, Access access, SchoolStore schools, CancellationToken ct)
    {
        var school = body.Value;
        var caller = await access.CallerAsync(ct);
        caller.RequireSelf(school.UserId);
        return TypedResults.Ok(
            new Made(await schools.CreateAsync(school.Name, school.Slug, school.UserId, isLimited: !caller.IsOperator, ct)));
    }

    internal static async Task<Ok<List<OrganizationSummary>>> ListAsync(
        Access access, SchoolStore schools, [AsParameters] Page page, CancellationToken ct)
    {
        var caller = await access.CallerAsync(ct);
        return TypedResults.Ok(await schools.ListAsync(caller.IsOperator ? null : caller.RequireUser(), page, ct));
    }

    internal static async Task<Ok<OrganizationDetails>> GetAsync(
        [FromRoute(Name = "org_id")] int orgId, Access access, SchoolStore schools, CancellationToken ct)
    {
        await access.OrganizationAsync(orgId, ct);
        return TypedResults.Ok(await schools.FindAsync(orgId, ct) ?? throw Failure.NotFound("Organization"));
    }

    internal static async Task<Ok<OrganizationDetails>> GetBySlugAsync(
        [FromRoute] string slug, Access access, SchoolStore schools, CancellationToken ct)
    {
        await access.CallerAsync(ct);
        return TypedResults.Ok(await schools.FindAsync(slug, ct) ?? throw Failure.NotFound("Organization"));
    }

    internal static async Task<Ok<Success>> RenameAsync(
        [FromRoute(Name = "org_id")] int orgId, Body<NameRequest> body, Access access, SchoolStore schools, CancellationToken ct)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireAdmin();
        await schools.RenameAsync(orgId, body.Value.Name, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<List<OrganizationMemberView>>> MembersAsync(
        [FromRoute(Name = "org_id")] int orgId, Access access, SchoolStore schools, CancellationToken ct)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireAdmin();
        return TypedResults.Ok(await schools.MembersAsync(orgId, ct));
    }

    internal static async Task<Ok<Success>> AddAsync(
        [FromRoute(Name = "org_id")] int orgId, Body<AddUsersToOrgRequest> body, Access access, SchoolStore schools, CancellationToken ct)
    {
        // Here the original's page reads 400.
        var school = await access.TryOrganizationAsync(orgId, ct) ?? throw Refusal.BadRequest("Organization not found");
        school.RequireAdmin();
        await schools.AddAsync(orgId, body.Value.Emails, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> RemoveAsync(
        [FromRoute(Name = "org_id")] int orgId, Body<RemoveMembersFromOrgRequest> body,
        Access access, SchoolStore schools, CancellationToken ct)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireAdmin();
        await schools.RemoveAsync(orgId, body.Value.UserIds, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<SchoolBudget>> BudgetAsync(
        [FromRoute(Name = "org_id")] int orgId, Access access, SchoolBudgets budgets, CancellationToken ct)
    {
        var standing = await access.OrganizationAsync(orgId, ct);
        standing.Require(standing.IsAdmin || standing.IsOperator);
        return TypedResults.Ok(await budgets.FindAsync(orgId, ct) ?? throw Failure.NotFound("Budget"));
    }

    internal static async Task<Ok<Success>> SetBudgetAsync(
        [FromRoute(Name = "org_id")] int orgId, Body<SetBudgetRequest> body, Access access, SchoolBudgets budgets, CancellationToken ct)
    {
        var standing = await access.OrganizationAsync(orgId, ct);
        standing.Require(standing.IsOperator);
        body.Value.Check();
        await budgets.SetAsync(orgId, (decimal?)body.Value.MonthlyBudget, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> SetPayerAsync(
        [FromRoute(Name = "org_id")] int orgId, Body<SetPayerRequest> body, Access access, SchoolPayers payers, CancellationToken ct)
    {
        var standing = await access.OrganizationAsync(orgId, ct);
        if (body.Value.OrganizationId is not { } text)
        {
            await payers.RemoveAsync(orgId, standing.RequireUser(), standing.IsAdmin, ct);
            return TypedResults.Ok(Success.Instance);
        }
        standing.RequireAdmin();
        var organization = Guid.TryParse(text, out var id) ? id
            : throw WireErrors.Value("this is no id of an organization", "organization_id");
        await payers.SetAsync(orgId, standing.RequireUser(), organization, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal sealed record SetPayerRequest
    {
        /// <summary>As <c>/api/stoa</c> names it; null for none.</summary>
        public string? OrganizationId { get; init; }
    }

    internal sealed record SetBudgetRequest
    {
        private const int MaxBudget = 1_000_000;

        /// <summary>US dollars; null for what the settings say, 0 for no limit.</summary>
        public double? MonthlyBudget { get; init; }

        public void Check()
        {
            if (MonthlyBudget is not (null or (>= 0 and <= MaxBudget)))
            {
                throw WireErrors.Value($"between 0 and {MaxBudget}", "monthly_budget");
            }
        }
    }

    internal sealed record CreateOrganizationRequest
    {
        public required string Name { get; init; }

        public required string Slug { get; init; }

        public required int UserId { get; init; }
    }

    internal sealed record AddUsersToOrgRequest
    {
        public required IReadOnlyList<string> Emails { get; init; }
    }

    internal sealed record RemoveMembersFromOrgRequest
    {
        public required IReadOnlyList<int> UserIds { get; init; }
    }
}
