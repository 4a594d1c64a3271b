using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Progress;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Cohorts;

/// <summary>How far a cohort is.</summary>
internal static class CohortProgressApi
{
    public static void MapCohortProgress(this IEndpointRouteBuilder cohorts)
    {
        cohorts.MapGet("/{cohort_id}/completion", CompletionAsync).RequireLearner().WithSummary("Say what a user has completed");
        cohorts.MapGet("/{cohort_id}/leaderboard", LeaderboardAsync).RequireLearner().WithSummary("Rank a cohort's learners");
        cohorts.MapGet("/{cohort_id}/courses/{course_id}/metrics", MetricsAsync)
            .RequireLearner().WithSummary("Figures of a course in a cohort");
        cohorts.MapGet("/{cohort_id}/streaks", StreaksAsync).RequireLearner().WithSummary("List the learners' streaks");
        cohorts.MapGet("/{cohort_id}/task_metrics", TaskMetricsAsync).RequireLearner()
            .WithSummary("Say which tasks each learner has completed");
        cohorts.MapGet("/{cohort_id}/task_attempt_data", AttemptsAsync)
            .RequireLearner().WithSummary("Say which tasks each learner has attempted");
    }

    internal static async Task<Ok<Dictionary<int, TaskCompletion>>> CompletionAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, [FromQuery(Name = "user_id")] int userId, Access access, Completions completions,
        CancellationToken ct)
    {
        var cohort = await access.CohortAsync(cohortId, with: userId, ct);
        cohort.RequireMember();
        cohort.RequireSelfOrStaff(userId);
        return TypedResults.Ok(await completions.OfCohortAsync(cohortId, userId, ct));
    }

    internal static async Task<Ok<Leaderboard>> LeaderboardAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, Access access, Boards boards, CancellationToken ct,
        [FromQuery(Name = "batch_id")] int? batchId = null)
    {
        var cohort = await access.CohortAsync(cohortId, ct);
        cohort.RequireMember();
        await CohortsApi.RequireOwnBatchAsync(cohort, batchId, access, ct);
        return TypedResults.Ok(await boards.LeaderboardAsync(cohortId, batchId, ct));
    }

    internal static async Task<Ok<CourseMetrics>> MetricsAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, [FromRoute(Name = "course_id")] int courseId,
        Access access, CohortStore cohorts, Boards boards,
        CancellationToken ct, [FromQuery(Name = "batch_id")] int? batchId = null)
    {
        var cohort = await access.CohortAsync(cohortId, ct);
        cohort.RequireStaff();
        await access.CourseAsync(courseId, ct);
        if (batchId is { } batch && !await cohorts.HasBatchAsync(cohortId, batch, ct))
        {
            throw Refusal.BadRequest("Batch does not belong to the specified cohort");
        }
        await CohortsApi.RequireOwnBatchAsync(cohort, batchId, access, ct);
        return TypedResults.Ok(await boards.CourseAsync(cohortId, courseId, batchId, ct));
    }

    internal static async Task<Ok<List<UserStreak>>> StreaksAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, Access access, Boards boards, CancellationToken ct, [FromQuery] string? view = null)
    {
        (await access.CohortAsync(cohortId, ct)).RequireMember();
        return TypedResults.Ok(await boards.StreaksAsync(cohortId, Window(view), ct));
    }

    internal static async Task<Ok<List<JsonObject>>> TaskMetricsAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, [FromQuery(Name = "task_ids")] int[] taskIds,
        Access access, TaskGrid grid, CancellationToken ct,
        [FromQuery(Name = "batch_id")] int? batchId = null)
    {
        WireErrors.RequireQuery(taskIds, "task_ids");
        await RequireStaffAsync(cohortId, batchId, access, ct);
        return TypedResults.Ok(await grid.CompletedAsync(cohortId, batchId, taskIds, ct));
    }

    internal static async Task<Ok<List<JsonObject>>> AttemptsAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, [FromQuery(Name = "task_ids")] int[] taskIds,
        Access access, TaskGrid grid, CancellationToken ct,
        [FromQuery(Name = "batch_id")] int? batchId = null)
    {
        WireErrors.RequireQuery(taskIds, "task_ids");
        await RequireStaffAsync(cohortId, batchId, access, ct);
        return TypedResults.Ok(await grid.AttemptedAsync(cohortId, batchId, taskIds, ct));
    }

    /// <exception cref="Platform.Http.Failure">422.</exception>
    internal static TimeWindow Window(string? view)
    {
        if (TimeWindows.Read(view ?? "All time") is { } window)
        {
            return window;
        }
        const string expected = "'All time', 'This week' or 'This month'";
        var errors = new WireErrors();
        errors.Add("enum", ["query", "view"], $"Input should be {expected}", context: new() { ["expected"] = expected });
        throw errors.ToFailure();
    }

    private static async Task RequireStaffAsync(int cohortId, int? batchId, Access access, CancellationToken ct)
    {
        var cohort = await access.CohortAsync(cohortId, ct);
        cohort.RequireStaff();
        await CohortsApi.RequireOwnBatchAsync(cohort, batchId, access, ct);
    }
}
