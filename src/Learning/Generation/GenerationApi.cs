using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Generation;

/// <summary>Courses made by a model: first their structure, then, when the author wants it, the contents. Both go on as jobs.</summary>
internal static class GenerationApi
{
    public static void MapGeneration(this IEndpointRouteBuilder routes)
    {
        var generation = routes.MapGroup("/ai/generate/course/{course_id}").WithTags("ai");
        generation.MapPost("/structure", StructureAsync).RequireLearner().WithSummary("Make modules and drafts of tasks from a document");
        generation.MapPost("/tasks", TasksAsync).RequireLearner().WithSummary("Make the contents of the tasks of a structure");
        generation.MapPost("/cancel", CancelAsync).RequireLearner().WithSummary("End the generation of a course; what is made stays");
        routes.MapGenerationSocket();
    }

    internal static async Task<Ok<Started>> StructureAsync(
        Access access, [FromRoute(Name = "course_id")] int courseId,
        Body<StructureRequest> body, GenerationStarts starts, CancellationToken ct)
    {
        var standing = await access.CourseAsync(courseId, ct);
        standing.RequireAdmin();
        body.Value.Check();
        return TypedResults.Ok(new Started(await starts.StructureAsync(standing, courseId, body.Value, ct)));
    }

    internal static async Task<Ok<Success>> TasksAsync(
        Access access, [FromRoute(Name = "course_id")] int courseId, Body<TasksRequest> body, GenerationStarts starts, CancellationToken ct)
    {
        (await access.CourseAsync(courseId, ct)).RequireAdmin();
        await starts.TasksAsync(courseId, body.Value.JobUuid, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> CancelAsync(
        Access access, [FromRoute(Name = "course_id")] int courseId, GenerationStarts starts, CancellationToken ct)
    {
        var standing = await access.CourseAsync(courseId, ct);
        standing.RequireAdmin();
        await starts.CancelAsync(courseId, standing.UserId, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal sealed record StructureRequest
    {
        private const int MaxText = 20_000;

        public required string CourseDescription { get; init; }

        public required string IntendedAudience { get; init; }

        public string? Instructions { get; init; }

        /// <summary>The PDF: its key in the store, or its name as a local upload answered it.</summary>
        [JsonPropertyName("reference_material_s3_key")]
        public required string ReferenceMaterialKey { get; init; }

        public void Check()
        {
            foreach (var (name, text) in (ReadOnlySpan<(string, string?)>)[
                ("course_description", CourseDescription), ("intended_audience", IntendedAudience), ("instructions", Instructions)])
            {
                if (text?.Length > MaxText)
                {
                    throw WireErrors.Value($"at most {MaxText} characters", name);
                }
            }
        }
    }

    internal sealed record TasksRequest
    {
        public required string JobUuid { get; init; }
    }

    internal sealed record Started(Guid JobUuid);
}
