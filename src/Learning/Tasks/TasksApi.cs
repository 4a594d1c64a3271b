using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Cohorts;
using Stoa.Learning.Progress;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Tasks;

internal static class TasksApi
{
    public static void MapTasks(this IEndpointRouteBuilder routes)
    {
        var tasks = routes.MapGroup("/tasks").WithTags("tasks");
        tasks.MapGet("/{task_id}", GetAsync).RequireLearner()
            .WithSummary("Read a task; a learner gets it without its solution, once it is open");
        tasks.MapGet("/course/{course_id}/learning_material", MaterialsAsync)
            .RequireLearner().WithSummary("List a course's published materials");
        tasks.MapPost("/", CreateAsync).RequireLearner().WithSummary("Make a draft at the end of a module");
        tasks.MapPost("/{task_id}/learning_material", PublishMaterialAsync).RequireLearner().WithSummary("Save and publish a material");
        tasks.MapPut("/{task_id}/learning_material", UpdateMaterialAsync).RequireLearner().WithSummary("Save a material");
        tasks.MapPost("/{task_id}/quiz", ReplaceQuizAsync).RequireLearner().WithSummary("Save a quiz as a whole");
        tasks.MapPut("/{task_id}/quiz", UpdateQuizAsync).RequireLearner().WithSummary("Change questions of a quiz");
        tasks.MapPost("/{task_id}/assignment", CreateAssignmentAsync).RequireLearner().WithSummary("Save an assignment for the first time");
        tasks.MapPut("/{task_id}/assignment", UpdateAssignmentAsync).RequireLearner().WithSummary("Save an assignment");
        tasks.MapPost("/duplicate", DuplicateAsync).RequireLearner().WithSummary("Copy a task as a draft, right behind it");
        tasks.MapDelete("/{task_id}", DeleteAsync).RequireLearner().WithSummary("Delete a task");
        tasks.MapDelete("/", DeleteManyAsync).RequireLearner().WithSummary("Delete tasks");
        tasks.MapPost("/{task_id}/complete", CompleteAsync).RequireLearner().WithSummary("Say that one has completed a task");
        tasks.MapGet("/cohort/{cohort_id}/user/{user_id}/completed", CompletedAsync)
            .RequireLearner().WithSummary("List what a user has completed");
    }

    internal static async Task<Ok<TaskView>> GetAsync(
        [FromRoute(Name = "task_id")] int taskId, Access access, TaskStore tasks, TaskVisibility visibility, CancellationToken ct)
    {
        var standing = await access.TaskAsync(taskId, ct);
        await visibility.RequireAsync(standing, taskId, ct);
        var task = await tasks.FindAsync(taskId, ct) ?? throw Failure.NotFound("Task");
        return TypedResults.Ok(standing.IsAdmin ? task : task.ForLearner());
    }

    internal static async Task<Ok<List<TaskSummary>>> MaterialsAsync(
        [FromRoute(Name = "course_id")] int courseId, Access access, TaskStore tasks, CancellationToken ct)
    {
        (await access.CourseAsync(courseId, ct)).RequireAdmin();
        return TypedResults.Ok(await tasks.MaterialsAsync(courseId, ct));
    }

    internal static async Task<Ok<Made>> CreateAsync(
        Body<CreateDraftTaskRequest> body, Access access, TaskStore tasks, CancellationToken ct)
    {
        var wanted = body.Value;
        (await access.CourseAsync(wanted.CourseId, ct)).RequireAdmin();
        return TypedResults.Ok(new Made(await tasks.CreateAsync(wanted.CourseId, wanted.MilestoneId, wanted.Type, wanted.Title, ct)));
    }

    internal static async Task<Ok<TaskView>> PublishMaterialAsync(
        [FromRoute(Name = "task_id")] int taskId, Body<PublishLearningMaterialTaskRequest> body,
        Access access, TaskStore tasks, CancellationToken ct)
    {
        (await access.TaskAsync(taskId, ct)).RequireAdmin();
        var material = body.Value;
        await tasks.SaveMaterialAsync(taskId, material.Title, material.Blocks, PublishState.Published, material.ScheduledPublishAt, ct);
        return await ReadAsync(taskId, tasks, ct);
    }

    internal static async Task<Ok<TaskView>> UpdateMaterialAsync(
        [FromRoute(Name = "task_id")] int taskId, Body<UpdateLearningMaterialTaskRequest> body,
        Access access, TaskStore tasks, CancellationToken ct)
    {
        (await access.TaskAsync(taskId, ct)).RequireAdmin();
        var material = body.Value;
        await tasks.SaveMaterialAsync(taskId, material.Title, material.Blocks, material.Status, material.ScheduledPublishAt, ct);
        return await ReadAsync(taskId, tasks, ct);
    }

    internal static async Task<Ok<TaskView>> ReplaceQuizAsync(
        [FromRoute(Name = "task_id")] int taskId, Body<UpdateDraftQuizRequest> body, Access access, QuizStore quizzes, TaskStore tasks,
        CancellationToken ct)
    {
        (await access.TaskAsync(taskId, ct)).RequireAdmin();
        await quizzes.ReplaceAsync(taskId, body.Value, ct);
        return await ReadAsync(taskId, tasks, ct);
    }

    internal static async Task<Ok<TaskView>> UpdateQuizAsync(
        [FromRoute(Name = "task_id")] int taskId, Body<UpdatePublishedQuizRequest> body, Access access, QuizStore quizzes, TaskStore tasks,
        CancellationToken ct)
    {
        (await access.TaskAsync(taskId, ct)).RequireAdmin();
        await quizzes.UpdateAsync(taskId, body.Value, ct);
        return await ReadAsync(taskId, tasks, ct);
    }

    internal static async Task<Ok<TaskView>> CreateAssignmentAsync(
        [FromRoute(Name = "task_id")] int taskId, Body<AssignmentRequest> body, Access access, TaskStore tasks, CancellationToken ct)
    {
        (await access.TryTaskAsync(taskId, ct))?.RequireAdmin();
        await tasks.SaveAssignmentAsync(taskId, body.Value, isNew: true, ct);
        return await ReadAsync(taskId, tasks, ct);
    }

    internal static async Task<Ok<TaskView>> UpdateAssignmentAsync(
        [FromRoute(Name = "task_id")] int taskId, Body<AssignmentRequest> body, Access access, TaskStore tasks, CancellationToken ct)
    {
        (await access.TryTaskAsync(taskId, ct))?.RequireAdmin();
        await tasks.SaveAssignmentAsync(taskId, body.Value, isNew: false, ct);
        return await ReadAsync(taskId, tasks, ct);
    }

    internal static async Task<Ok<DuplicateTaskResponse>> DuplicateAsync(
        Body<DuplicateTaskRequest> body, Access access, TaskCopies copies, TaskStore tasks, CancellationToken ct)
    {
        var wanted = body.Value;
        (await access.TaskAsync(wanted.TaskId, ct)).RequireAdmin();
        (await access.CourseAsync(wanted.CourseId, ct)).RequireAdmin();
        var (copy, ordering) = await copies.CopyAsync(wanted.TaskId, wanted.CourseId, wanted.MilestoneId, ct);
        return TypedResults.Ok(new DuplicateTaskResponse((await ReadAsync(copy, tasks, ct)).Value!, ordering));
    }

    internal static async Task<Ok<Success>> DeleteAsync(
        [FromRoute(Name = "task_id")] int taskId, Access access, TaskStore tasks, CancellationToken ct)
    {
        if (await access.TryTaskAsync(taskId, ct) is { } task)
        {
            task.RequireAdmin();
            await tasks.DeleteAsync([taskId], ct);
        }
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> DeleteManyAsync(
        [FromQuery(Name = "task_ids")] int[] taskIds, Access access, TaskStore tasks, CancellationToken ct)
    {
        WireErrors.RequireQuery(taskIds, "task_ids");
        var administered = await access.AdministeredAsync(ct);
        if ((await tasks.OrganizationsOfAsync(taskIds, ct)).Exists(owner => !administered.Contains(owner)))
        {
            throw Refusal.Forbidden();
        }
        await tasks.DeleteAsync(taskIds, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> CompleteAsync(
        [FromRoute(Name = "task_id")] int taskId, Body<MarkTaskCompletedRequest> body, Access access, TaskVisibility visibility,
        Completions completions, CancellationToken ct)
    {
        var task = await access.TaskAsync(taskId, ct);
        task.RequireSelf(body.Value.UserId);
        await visibility.RequireAsync(task, taskId, ct);
        await completions.CompleteTaskAsync(body.Value.UserId, taskId, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<int[]>> CompletedAsync(
        [FromRoute(Name = "cohort_id")] int cohortId, [FromRoute(Name = "user_id")] int userId, Access access, Completions completions,
        CancellationToken ct, [FromQuery] string? view = null)
    {
        var cohort = await access.CohortAsync(cohortId, with: userId, ct);
        cohort.RequireMember();
        cohort.RequireSelfOrStaff(userId);
        return TypedResults.Ok(await completions.CompletedAsync(cohortId, userId, CohortProgressApi.Window(view), ct));
    }

    private static async Task<Ok<TaskView>> ReadAsync(int taskId, TaskStore tasks, CancellationToken ct) =>
        TypedResults.Ok(await tasks.FindAsync(taskId, ct) ?? throw Failure.NotFound("Task"));
}
