using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Progress;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Courses;

/// <summary>Modules, which the wire calls milestones.</summary>
internal static class MilestonesApi
{
    public static void MapMilestones(this IEndpointRouteBuilder routes)
    {
        var milestones = routes.MapGroup("/milestones").WithTags("milestones");
        milestones.MapGet("/", ListAsync).RequireLearner().WithSummary("List a school's modules");
        milestones.MapPut("/{milestone_id}", RenameAsync).RequireLearner().WithSummary("Rename a module");
        milestones.MapDelete("/{milestone_id}", DeleteAsync).RequireLearner().WithSummary("Delete a module with its places in courses");
        milestones.MapGet("/course/{course_id}", OfCourseAsync).RequireLearner().WithSummary("List a course's modules in their order");
        milestones.MapGet("/metrics/user/{user_id}/course/{course_id}", MetricsAsync).RequireLearner()
            .WithSummary("Count what a user has completed in each module");
    }

    internal static async Task<Ok<List<MilestoneView>>> ListAsync(
        [FromQuery(Name = "org_id")] int orgId, Access access, CourseStore courses, [AsParameters] Page page, CancellationToken ct)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireAdmin();
        return TypedResults.Ok(await courses.MilestonesAsync(orgId, page, ct));
    }

    internal static async Task<Ok<Message>> RenameAsync(
        [FromRoute(Name = "milestone_id")] int milestoneId, Body<NameRequest> body,
        Access access, CourseStore courses, CancellationToken ct)
    {
        (await access.MilestoneAsync(milestoneId, ct)).RequireAdmin();
        await courses.RenameMilestoneAsync(milestoneId, body.Value.Name, ct);
        return TypedResults.Ok(new Message("Milestone updated"));
    }

    internal static async Task<Ok<Message>> DeleteAsync(
        [FromRoute(Name = "milestone_id")] int milestoneId, Access access, CourseStore courses, CancellationToken ct)
    {
        (await access.MilestoneAsync(milestoneId, ct)).RequireAdmin();
        await courses.DeleteMilestoneAsync(milestoneId, ct);
        return TypedResults.Ok(new Message("Milestone deleted"));
    }

    internal static async Task<Ok<List<CourseMilestoneView>>> OfCourseAsync(
        [FromRoute(Name = "course_id")] int courseId, Access access, CourseStore courses, CancellationToken ct)
    {
        (await access.CourseAsync(courseId, ct)).RequireAdmin();
        return TypedResults.Ok(await courses.MilestonesOfCourseAsync(courseId, ct));
    }

    internal static async Task<Ok<List<MilestoneMetrics>>> MetricsAsync(
        [FromRoute(Name = "user_id")] int userId, [FromRoute(Name = "course_id")] int courseId, Access access, Completions completions,
        CancellationToken ct)
    {
        var course = await access.CourseAsync(courseId, with: userId, ct);
        course.RequireMember();
        course.RequireSelfOrStaff(userId);
        return TypedResults.Ok(await completions.OfCourseAsync(courseId, userId, ct));
    }
}
