using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Todos;

/// <summary>To-dos as the scheduler launches them and the background writes them back.</summary>
internal static class TodoCallbacksApi
{
    public static void MapTodoCallbacks(this IEndpointRouteBuilder routes)
    {
        var launched = routes.MapGroup("").WithTags("Scheduler").RequireMojodexService(MojodexService.Scheduler);
        launched.MapPost("/extract_todos", ExtractAsync).WithSummary("Look for to-dos in executions that are quiet");
        launched.MapPost("/todos_scheduling", RescheduleAsync).WithSummary("Find new days for overdue to-dos");
        var written = routes.MapGroup("").WithTags("Callbacks")
            .RequireMojodexService(MojodexService.Background).WithMetadata(WireTexts.Callback);
        written.MapPut("/todos", AddAsync).WithSummary("Add a to-do to an execution");
        written.MapPut("/extract_todos", MarkAsync).WithMetadata(ExtractedTexts).WithSummary("Mark an execution as searched for to-dos");
        written.MapPut("/todos_scheduling", MoveAsync).WithSummary("Move a to-do to another day, or delete it");
    }

    private static readonly WireTexts ExtractedTexts = WireTexts.Callback with { Missing = name => $"Missing key in body : '{name}'" };

    internal static async Task<Ok<SelectedExecutions>> ExtractAsync(Body<NoArguments> _, TodoSelection selection, CancellationToken ct) =>
        TypedResults.Ok(new SelectedExecutions(await selection.ExtractAsync(ct)));

    internal static async Task<Ok<SelectedTodos>> RescheduleAsync(Body<NoArguments> _, TodoSelection selection, CancellationToken ct) =>
        TypedResults.Ok(new SelectedTodos(await selection.RescheduleAsync(catchesUp: false, ct)));

    internal static async Task<Ok<TodoMade>> AddAsync(Body<AddBody> body, TodoStore todos, CancellationToken ct) =>
        TypedResults.Ok(new TodoMade(await todos.AddAsync(body.Value.ExecutionId, body.Value.Description, body.Value.Due, ct)));

    internal static async Task<Ok<MarkedExecution>> MarkAsync(Body<MarkBody> body, TodoStore todos, CancellationToken ct) =>
        await todos.SaveExtractedAsync(body.Value.ExecutionId, [], ct)
            ? TypedResults.Ok(new MarkedExecution(body.Value.ExecutionId))
            : throw Failure.NotFound("user_task_execution");

    internal static async Task<Ok<Moved>> MoveAsync(Body<MoveBody> body, TodoStore todos, TimeProvider time, CancellationToken ct)
    {
        var move = body.Value;
        var zone = await todos.ZoneOfAsync(move.TodoPk, ct) ?? throw Failure.NotFound($"Todo {move.TodoPk}");
        if (move.To is not { } day)
        {
            return await todos.DeleteByAssistantAsync(move.TodoPk, move.Argument, ct)
                ? TypedResults.Ok(new Moved(move.TodoPk))
                : throw Failure.NotFound($"Todo {move.TodoPk}");
        }
        if (!TodoDates.CanMoveTo(day, zone.DateAt(time.GetUtcNow())))
        {
            throw Failure.Invalid(FormattableString.Invariant($"Invalid reschedule_date {day:yyyy-MM-dd}"), "reschedule_date");
        }
        return await todos.MoveAsync(move.TodoPk, from: null, day, move.Argument, ct) is { } scheduling
            ? TypedResults.Ok(new Moved(move.TodoPk) { TodoSchedulingPk = scheduling })
            : throw Failure.Invalid($"Todo {move.TodoPk} is done");
    }

    internal sealed record NoArguments : IArguments<NoArguments>
    {
        public static NoArguments Read(Fields fields) => new();
    }

    internal sealed record AddBody(string Description, DateOnly Due, int ExecutionId) : IArguments<AddBody>
    {
        public static AddBody Read(Fields fields) =>
            new(TodoFields.Description(fields), TodoFields.Day(fields, "due_date"), fields.Integer("user_task_execution_fk"));
    }

    internal sealed record MarkBody(int ExecutionId) : IArguments<MarkBody>
    {
        public static MarkBody Read(Fields fields) => new(fields.Integer("user_task_execution_fk"));
    }

    internal sealed record MoveBody(int TodoPk, string Argument, DateOnly? To) : IArguments<MoveBody>
    {
        public static MoveBody Read(Fields fields) =>
            new(fields.Integer("todo_fk"), fields.Text("argument"), TodoFields.OptionalDay(fields, "reschedule_date"));
    }

    internal sealed record SelectedExecutions(IReadOnlyList<int> UserTaskExecutionPks);

    internal sealed record SelectedTodos(IReadOnlyList<int> TodoPks);

    internal sealed record MarkedExecution(int UserTaskExecutionPk);

    internal sealed record Moved(int TodoPk)
    {
        /// <summary>Absent where it was deleted.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public int? TodoSchedulingPk { get; init; }
    }
}
