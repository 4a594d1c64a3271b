using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Courses;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Cohorts;

/// <summary>The courses that a cohort takes.</summary>
internal static class CohortCoursesApi
{
    public static void MapCohortCourses(this IEndpointRouteBuilder cohorts)
    {
        cohorts.MapGet("/{cohort_id}/courses", ListAsync).RequireLearner().Produces<List<LinkView>>()
            .WithSummary("List a cohort's courses, with include_tree as its members see them");
        cohorts.MapPost("/{cohort_id}/courses", AddAsync).RequireLearner().WithSummary("Give a cohort courses, or change their drip");
        cohorts.MapDelete("/{cohort_id}/courses", RemoveAsync).RequireLearner().WithSummary("Take courses from a cohort");
    }

    internal static async Task<IResult> ListAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, Access access,
        CourseLinks links, CourseTrees trees, RoundTrip trip, CancellationToken ct,
        [FromQuery(Name = "include_tree")] bool includeTree = false, [FromQuery(Name = "joined_at")] string? joinedAt = null)
    {
        if (!includeTree)
        {
            (await access.CohortAsync(cohortId, ct)).RequireMember();
            return TypedResults.Ok(await links.CoursesAsync(cohortId, ct));
        }
        var (standing, ofCohort) = (access.CohortWith(trip, cohortId), trees.OfCohortWith(trip, cohortId));
        await trip.GoAsync(ct);
        var cohort = standing();
        cohort.RequireMember();
        // A learner's spans run from when he joined, whatever he says; those who teach him look at what they ask for.
        var since = cohort.IsLearner ? cohort.JoinedAt : LenientInstant.Parse(joinedAt) ?? cohort.JoinedAt;
        return TypedResults.Ok(ofCohort(since));
    }

    internal static async Task<Ok<Success>> AddAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, Body<AddCoursesToCohortRequest> body,
        Access access, CourseLinks links, CancellationToken ct)
    {
        var cohort = await access.CohortAsync(cohortId, ct);
        cohort.RequireAdmin();
        var drip = (body.Value.DripConfig ?? DripConfig.Off).Check();
        await links.LinkAsync(cohort.OrganizationId!.Value, body.Value.CourseIds, [cohortId], drip, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> RemoveAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, Body<RemoveCoursesFromCohortRequest> body,
        Access access, CourseLinks links, CancellationToken ct)
    {
        (await access.CohortAsync(cohortId, ct)).RequireAdmin();
        await links.UnlinkAsync(body.Value.CourseIds, [cohortId], ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal sealed record AddCoursesToCohortRequest
    {
        public required IReadOnlyList<int> CourseIds { get; init; }

        public DripConfig? DripConfig { get; init; }
    }

    internal sealed record RemoveCoursesFromCohortRequest
    {
        public required IReadOnlyList<int> CourseIds { get; init; }
    }
}
