using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;

namespace Stoa.Learning.PublicApi;

/// <summary>Section <c>Learning:PublicApi</c>.</summary>
internal sealed class PublicApiOptions
{
    public const string Section = "Learning:PublicApi";

    /// <summary>A host name (<c>data.school.example</c>) under which the routes also stand at the root, as the original has them.</summary>
    public string? Host { get; set; }
}

/// <summary>What a school's own programs read, by the school's key.</summary>
internal static class PublicReads
{
    private const string Lines = "application/x-ndjson";

    /// <summary>Where the surface's other routes are, as for a client whose base address is the surface, and apart from them.</summary>
    public static void MapPublicApi(this IEndpointRouteBuilder surface)
    {
        MapAll(surface.MapGroup(""));
        MapAll(surface.MapGroup("/public"));
    }

    /// <summary>The same at the root of a host of its own, where one is set.</summary>
    public static void MapPublicHost(this IEndpointRouteBuilder routes)
    {
        if (routes.ServiceProvider.GetRequiredService<IOptions<PublicApiOptions>>().Value.Host is { Length: > 0 } host)
        {
            MapAll(routes.MapGroup("").RequireHost(host).WithErrors(FastApiErrors.Instance).ExcludeFromDescription());
        }
    }

    private static void MapAll(RouteGroupBuilder routes)
    {
        var open = routes.MapGroup("").WithTags("public").RequireSchoolKey();
        open.MapGet("/chat_history", HistoryAsync).Produces<string>(contentType: Lines)
            .WithSummary("Everything that was said about the school's questions, as JSON lines");
        open.MapGet("/course/{course_id}", CourseAsync).WithSummary("A course as it is published, with what is in its tasks");
    }

    internal static async Task HistoryAsync(
        [FromQuery(Name = "org_id")] int orgId, SchoolProgram program, ChatHistory history, HttpResponse response, CancellationToken ct)
    {
        program.Require(orgId);
        response.ContentType = Lines;
        response.Headers.ContentDisposition = "attachment; filename=chat_history.jsonl";
        await history.WriteAsync(orgId, response.BodyWriter, ct);
    }

    internal static async Task<Ok<PublicCourse>> CourseAsync(
        [FromRoute(Name = "course_id")] int courseId, SchoolProgram program, PublicCourses courses, CancellationToken ct)
    {
        program.Require(await courses.OrganizationOfAsync(courseId, ct) ?? throw Failure.NotFound("Course"));
        return TypedResults.Ok(await courses.FindAsync(courseId, ct) ?? throw Failure.NotFound("Course"));
    }
}
