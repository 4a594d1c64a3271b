using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Users;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Cohorts;

internal static class CohortsApi
{
    public static void MapCohorts(this IEndpointRouteBuilder routes)
    {
        var cohorts = routes.MapGroup("/cohorts").WithTags("cohorts");
        cohorts.MapGet("/", ListAsync).RequireLearner().WithSummary("List a school's cohorts, newest first");
        cohorts.MapPost("/", CreateAsync).RequireLearner().WithSummary("Make a cohort");
        cohorts.MapGet("/{cohort_id}", GetAsync).RequireLearner(allowService: true)
            .WithSummary("Read a cohort and its members; a learner sees himself");
        cohorts.MapPut("/{cohort_id}", RenameAsync).RequireLearner().WithSummary("Rename a cohort");
        cohorts.MapDelete("/{cohort_id}", DeleteAsync).RequireLearner().WithSummary("Delete a cohort and its batches");
        cohorts.MapPost("/{cohort_id}/members", AddAsync).RequireLearner().WithSummary("Add members, or join");
        cohorts.MapDelete("/{cohort_id}/members", RemoveAsync).RequireLearner().WithSummary("Remove members");
        cohorts.MapCohortCourses();
        cohorts.MapCohortProgress();
    }

    internal static async Task<Ok<List<IdName>>> ListAsync(
        [FromQuery(Name = "org_id")] int orgId, Access access, CohortStore cohorts, [AsParameters] Page page, CancellationToken ct)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireAdmin();
        return TypedResults.Ok(await cohorts.ListAsync(orgId, page, ct));
    }

    internal static async Task<Ok<Made>> CreateAsync(
        Body<CreateCohortRequest> body, Access access, CohortStore cohorts, CancellationToken ct)
    {
        (await access.OrganizationAsync(body.Value.OrgId, ct)).RequireAdmin();
        return TypedResults.Ok(new Made(await cohorts.CreateAsync(body.Value.OrgId, body.Value.Name, ct)));
    }

    internal static async Task<Ok<CohortDetails>> GetAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, Access access, CohortStore cohorts, CancellationToken ct,
        [FromQuery(Name = "batch_id")] int? batchId = null)
    {
        var cohort = await access.CohortAsync(cohortId, ct);
        var seesAll = cohort.IsAdmin || cohort.IsService || cohort.IsMentor;
        cohort.Require(seesAll || cohort.IsLearner);
        await RequireOwnBatchAsync(cohort, batchId, access, ct);
        return TypedResults.Ok(await cohorts.DetailsAsync(cohortId, batchId, seesAll ? null : cohort.UserId, ct));
    }

    internal static async Task<Ok<Success>> RenameAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, Body<NameRequest> body, Access access, CohortStore cohorts, CancellationToken ct)
    {
        (await access.CohortAsync(cohortId, ct)).RequireAdmin();
        await cohorts.RenameAsync(cohortId, body.Value.Name, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> DeleteAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, Access access, CohortStore cohorts, CancellationToken ct)
    {
        (await access.CohortAsync(cohortId, ct)).RequireAdmin();
        await cohorts.DeleteAsync(cohortId, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> AddAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, Body<AddMembersToCohortRequest> body,
        Access access, CohortStore cohorts, CancellationToken ct)
    {
        var wanted = body.Value;
        if (wanted.Emails.Count != wanted.Roles.Count)
        {
            throw WireErrors.Value("emails and roles must have the same length", "roles");
        }
        var caller = await access.CallerAsync(ct);
        if (wanted.OrgSlug is null && wanted.OrgId is null)
        {
            throw Refusal.BadRequest("Either org_slug or org_id must be provided");
        }
        var orgId = wanted.OrgSlug is { } slug ? await cohorts.OrganizationIdAsync(slug, ct) : wanted.OrgId!.Value;
        var organization = await access.OrganizationAsync(orgId, ct);
        var cohort = await cohorts.OfOrganizationAsync(cohortId, orgId, ct)
            ?? throw new Failure(FailureKind.NotFound, "not_found", "Cohort does not belong to this organization");
        var joins = wanted.OrgSlug is not null && cohort.SelfJoin && wanted.Emails is [var email] && wanted.Roles is [CohortRole.Learner]
            && caller.Email == UserStore.Key(email);
        caller.Require(organization.IsAdmin || joins);
        await cohorts.AddAsync(cohortId, orgId, wanted.Emails, wanted.Roles, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> RemoveAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, Body<RemoveMembersFromCohortRequest> body,
        Access access, CohortStore cohorts, CancellationToken ct)
    {
        (await access.CohortAsync(cohortId, ct)).RequireAdmin();
        await cohorts.RemoveAsync(cohortId, body.Value.MemberIds, ct);
        return TypedResults.Ok(Success.Instance);
    }

    /// <summary>Where a mentor asks for a batch, it is one that he is in.</summary>
    internal static async Task RequireOwnBatchAsync(Standing cohort, int? batchId, Access access, CancellationToken ct)
    {
        if (batchId is { } batch && !cohort.IsAdmin && !cohort.IsService)
        {
            var own = await access.BatchAsync(batch, ct);
            own.Require(own.IsMember);
        }
    }

    internal sealed record CreateCohortRequest
    {
        public required string Name { get; init; }

        public required int OrgId { get; init; }
    }

    internal sealed record AddMembersToCohortRequest
    {
        public string? OrgSlug { get; init; }

        public int? OrgId { get; init; }

        public required IReadOnlyList<string> Emails { get; init; }

        /// <summary>One for each address.</summary>
        public required IReadOnlyList<CohortRole> Roles { get; init; }
    }

    internal sealed record RemoveMembersFromCohortRequest
    {
        public required IReadOnlyList<int> MemberIds { get; init; }
    }
}
