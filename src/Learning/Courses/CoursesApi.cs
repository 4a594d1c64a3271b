using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Courses;

internal static class CoursesApi
{
    public static void MapCourses(this IEndpointRouteBuilder routes)
    {
        var courses = routes.MapGroup("/courses").WithTags("courses");
        courses.MapPost("/", CreateAsync).RequireLearner().WithSummary("Make a course");
        courses.MapGet("/", ListAsync).RequireLearner().WithSummary("List a school's courses, newest first");
        courses.MapGet("/{course_id}", GetAsync).RequireLearner(allowService: true).WithSummary("Read a course with its modules and tasks");
        courses.MapPut("/{course_id}", RenameAsync).RequireLearner().WithSummary("Rename a course");
        courses.MapDelete("/{course_id}", DeleteAsync).RequireLearner().WithSummary("Delete a course; its tasks stay");
        courses.MapPost("/{course_id}/milestones", AddMilestoneAsync).RequireLearner().WithSummary("Add a module at the end");
        courses.MapGet("/{course_id}/cohorts", CohortsAsync).RequireLearner().WithSummary("List the cohorts that take a course");
        courses.MapPost("/{course_id}/cohorts", AddCohortsAsync).RequireLearner()
            .WithSummary("Give a course to cohorts, or change their drip");
        courses.MapDelete("/{course_id}/cohorts", RemoveCohortsAsync).RequireLearner().WithSummary("Take a course from cohorts");
        courses.MapGet("/{course_id}/tasks", TasksAsync).RequireLearner().WithSummary("List a course's tasks");
        courses.MapPost("/{course_id}/duplicate", DuplicateAsync).RequireLearner()
            .WithSummary("Copy a course, into this school or another");
        courses.MapCourseOrder();
    }

    internal static async Task<Ok<Made>> CreateAsync(
        Body<CreateCourseRequest> body, Access access, CourseStore courses, CancellationToken ct)
    {
        (await access.OrganizationAsync(body.Value.OrgId, ct)).RequireAdmin();
        return TypedResults.Ok(new Made(await courses.CreateAsync(body.Value.OrgId, body.Value.Name, ct)));
    }

    internal static async Task<Ok<List<IdName>>> ListAsync(
        [FromQuery(Name = "org_id")] int orgId, Access access, CourseStore courses, [AsParameters] Page page, CancellationToken ct)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireAdmin();
        return TypedResults.Ok(await courses.ListAsync(orgId, page, ct));
    }

    /// <summary>
    /// Without <c>only_published</c> the front end's server gets what is published too, since it asks so and may see no more.
    /// </summary>
    internal static async Task<Ok<CourseTree>> GetAsync(
        [FromRoute(Name = "course_id")] int courseId, Access access, CourseTrees trees, RoundTrip trip, CancellationToken ct,
        [FromQuery(Name = "only_published")] bool onlyPublished = true)
    {
        var (standing, tree) = (access.CourseWith(trip, courseId), trees.FindWith(trip, courseId, onlyPublished));
        await trip.GoAsync(ct);
        var course = standing();
        course.Require(course.IsAdmin || (onlyPublished && (course.IsMember || course.IsService)));
        return TypedResults.Ok(tree() ?? throw Failure.NotFound("Course"));
    }

    internal static async Task<Ok<Success>> RenameAsync(
        [FromRoute(Name = "course_id")] int courseId, Body<NameRequest> body, Access access, CourseStore courses, CancellationToken ct)
    {
        (await access.CourseAsync(courseId, ct)).RequireAdmin();
        await courses.RenameAsync(courseId, body.Value.Name, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> DeleteAsync(
        [FromRoute(Name = "course_id")] int courseId, Access access, CourseStore courses, CancellationToken ct)
    {
        (await access.CourseAsync(courseId, ct)).RequireAdmin();
        await courses.DeleteAsync(courseId, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Made>> AddMilestoneAsync(
        [FromRoute(Name = "course_id")] int courseId, Body<AddMilestoneToCourseRequest> body,
        Access access, CourseStore courses, CancellationToken ct)
    {
        var course = await access.CourseAsync(courseId, ct);
        course.RequireAdmin();
        return TypedResults.Ok(new Made(await courses.AddMilestoneAsync(
            courseId, course.OrganizationId!.Value, body.Value.Name, body.Value.Color, ct)));
    }

    internal static async Task<Ok<List<LinkView>>> CohortsAsync(
        [FromRoute(Name = "course_id")] int courseId, Access access, CourseLinks links, CancellationToken ct)
    {
        (await access.CourseAsync(courseId, ct)).RequireAdmin();
        return TypedResults.Ok(await links.CohortsAsync(courseId, ct));
    }

    internal static async Task<Ok<Success>> AddCohortsAsync(
        [FromRoute(Name = "course_id")] int courseId, Body<AddCourseToCohortsRequest> body,
        Access access, CourseLinks links, CancellationToken ct)
    {
        var course = await access.CourseAsync(courseId, ct);
        course.RequireAdmin();
        var drip = (body.Value.DripConfig ?? DripConfig.Off).Check();
        await links.LinkAsync(course.OrganizationId!.Value, [courseId], body.Value.CohortIds, drip, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> RemoveCohortsAsync(
        [FromRoute(Name = "course_id")] int courseId, Body<RemoveCourseFromCohortsRequest> body,
        Access access, CourseLinks links, CancellationToken ct)
    {
        (await access.CourseAsync(courseId, ct)).RequireAdmin();
        await links.UnlinkAsync([courseId], body.Value.CohortIds, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<List<CourseTaskView>>> TasksAsync(
        [FromRoute(Name = "course_id")] int courseId, Access access, CourseStore courses, CancellationToken ct)
    {
        (await access.CourseAsync(courseId, ct)).RequireAdmin();
        return TypedResults.Ok(await courses.TasksAsync(courseId, ct));
    }

    internal static async Task<Ok<CourseTree>> DuplicateAsync(
        [FromRoute(Name = "course_id")] int courseId, Body<DuplicateCourseRequest> body,
        Access access, CourseCopies copies, CourseTrees trees,
        CancellationToken ct)
    {
        (await access.CourseAsync(courseId, ct)).RequireAdmin();
        (await access.OrganizationAsync(body.Value.OrgId, ct)).RequireAdmin();
        var copy = await copies.CopyAsync(courseId, body.Value.OrgId, ct);
        return TypedResults.Ok(await trees.FindAsync(copy, onlyPublished: true, ct) ?? throw Failure.NotFound("Course"));
    }

    internal sealed record CreateCourseRequest
    {
        public required string Name { get; init; }

        public required int OrgId { get; init; }
    }

    internal sealed record AddMilestoneToCourseRequest
    {
        public required string Name { get; init; }

        public required string Color { get; init; }
    }

    internal sealed record AddCourseToCohortsRequest
    {
        public required IReadOnlyList<int> CohortIds { get; init; }

        public DripConfig? DripConfig { get; init; }
    }

    internal sealed record RemoveCourseFromCohortsRequest
    {
        public required IReadOnlyList<int> CohortIds { get; init; }
    }

    internal sealed record DuplicateCourseRequest
    {
        public required int OrgId { get; init; }
    }
}
