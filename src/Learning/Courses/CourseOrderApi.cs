using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Courses;

/// <summary>Order within courses. Bodies name what they move by tuples.</summary>
internal static class CourseOrderApi
{
    private const int MostAtOnce = 5_000;

    public static void MapCourseOrder(this IEndpointRouteBuilder courses)
    {
        courses.MapPut("/{course_id}/milestones/swap", SwapMilestonesAsync).RequireLearner().WithSummary("Swap two modules");
        courses.MapPut("/{course_id}/tasks/swap", SwapTasksAsync).RequireLearner().WithSummary("Swap two tasks of one module");
        courses.MapPut("/milestones/order", OrderMilestonesAsync).RequireLearner()
            .WithSummary("Order modules: [ordering, course_milestone_id]");
        courses.MapPut("/tasks/order", OrderTasksAsync).RequireLearner().WithSummary("Order tasks: [ordering, course_task_id]");
        courses.MapPost("/tasks", AddTasksAsync).RequireLearner().WithSummary("Put tasks into courses: [task_id, course_id, milestone_id]");
        courses.MapDelete("/tasks", RemoveTasksAsync).RequireLearner().WithSummary("Take tasks out of courses: [task_id, course_id]");
    }

    internal static async Task<Ok<Success>> SwapMilestonesAsync(
        [FromRoute(Name = "course_id")] int courseId, Body<SwapMilestoneOrderingRequest> body,
        Access access, CourseOrder order, CancellationToken ct)
    {
        (await access.CourseAsync(courseId, ct)).RequireAdmin();
        await order.SwapMilestonesAsync(courseId, body.Value.FirstId, body.Value.SecondId, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> SwapTasksAsync(
        [FromRoute(Name = "course_id")] int courseId, Body<SwapTaskOrderingRequest> body,
        Access access, CourseOrder order, CancellationToken ct)
    {
        (await access.CourseAsync(courseId, ct)).RequireAdmin();
        await order.SwapTasksAsync(courseId, body.Value.FirstId, body.Value.SecondId, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> OrderMilestonesAsync(
        Body<UpdateMilestoneOrdersRequest> body, Access access, CourseOrder order, CancellationToken ct)
    {
        var orders = Tuples(body.Value.MilestoneOrders, 2, "milestone_orders").ConvertAll(pair => (pair[0]!.Value, pair[1]!.Value));
        Require(await order.OrderMilestonesAsync(orders, await access.AdministeredAsync(ct), ct));
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> OrderTasksAsync(
        Body<UpdateTaskOrdersRequest> body, Access access, CourseOrder order, CancellationToken ct)
    {
        var orders = Tuples(body.Value.TaskOrders, 2, "task_orders").ConvertAll(pair => (pair[0]!.Value, pair[1]!.Value));
        Require(await order.OrderTasksAsync(orders, await access.AdministeredAsync(ct), ct));
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> AddTasksAsync(
        Body<AddTasksToCoursesRequest> body, Access access, CourseOrder order, CancellationToken ct)
    {
        var places = Tuples(body.Value.CourseTasks, 3, "course_tasks", lastMayBeNull: true)
            .ConvertAll(place => new TaskPlace(place[0]!.Value, place[1]!.Value, place[2]));
        Require(await order.AddTasksAsync(places, await access.AdministeredAsync(ct), ct));
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<Success>> RemoveTasksAsync(
        Body<RemoveTasksFromCoursesRequest> body, Access access, CourseOrder order, CancellationToken ct)
    {
        var pairs = Tuples(body.Value.CourseTasks, 2, "course_tasks").ConvertAll(pair => (pair[0]!.Value, pair[1]!.Value));
        Require(await order.RemoveTasksAsync(pairs, await access.AdministeredAsync(ct), ct));
        return TypedResults.Ok(Success.Instance);
    }

    /// <exception cref="Platform.Http.Failure">422: one has not as many members, or null where a number must be.</exception>
    private static List<IReadOnlyList<int?>> Tuples(
        IReadOnlyList<IReadOnlyList<int?>> sent, int size, string field, bool lastMayBeNull = false)
    {
        if (sent.Count > MostAtOnce)
        {
            throw WireErrors.Value($"at most {MostAtOnce} at once", field);
        }
        for (var index = 0; index < sent.Count; index++)
        {
            var numbers = lastMayBeNull ? sent[index].Take(size - 1) : sent[index];
            if (sent[index].Count != size || numbers.Any(number => number is null))
            {
                throw WireErrors.Value($"each must have {size} numbers", field, index);
            }
        }
        return [.. sent];
    }

    private static void Require(bool isOwn)
    {
        if (!isOwn)
        {
            throw Refusal.Forbidden();
        }
    }

    internal sealed record SwapMilestoneOrderingRequest
    {
        [System.Text.Json.Serialization.JsonPropertyName("milestone_1_id")]
        public required int FirstId { get; init; }

        [System.Text.Json.Serialization.JsonPropertyName("milestone_2_id")]
        public required int SecondId { get; init; }
    }

    internal sealed record SwapTaskOrderingRequest
    {
        [System.Text.Json.Serialization.JsonPropertyName("task_1_id")]
        public required int FirstId { get; init; }

        [System.Text.Json.Serialization.JsonPropertyName("task_2_id")]
        public required int SecondId { get; init; }
    }

    internal sealed record UpdateMilestoneOrdersRequest
    {
        public required IReadOnlyList<IReadOnlyList<int?>> MilestoneOrders { get; init; }
    }

    internal sealed record UpdateTaskOrdersRequest
    {
        public required IReadOnlyList<IReadOnlyList<int?>> TaskOrders { get; init; }
    }

    internal sealed record AddTasksToCoursesRequest
    {
        public required IReadOnlyList<IReadOnlyList<int?>> CourseTasks { get; init; }
    }

    internal sealed record RemoveTasksFromCoursesRequest
    {
        public required IReadOnlyList<IReadOnlyList<int?>> CourseTasks { get; init; }
    }
}
