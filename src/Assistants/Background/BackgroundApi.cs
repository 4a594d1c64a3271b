using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Titles;
using Stoa.Assistants.Todos;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Background;

/// <summary>
/// The background service, on the internal listener only. What it accepts is a job before it answers. In layout A the caller names the
/// subject, in layout B the service selects; the body tells them apart.
/// </summary>
internal static class BackgroundApi
{
    public static void MapThinking(this IEndpointRouteBuilder background)
    {
        var routes = background.MapGroup("").WithTags("Background").RequireBackgroundCaller().WithMetadata(WireTexts.Background);
        routes.MapGet("/", Greet).WithSummary("Tell that the background service is alive");
        routes.MapPost("/user_task_execution_title_and_summary", SummarizeAsync).WithSummary("Give an execution a title and a summary");
        routes.MapPost("/extract_todos", ExtractAsync).WithSummary("Look for to-dos in an execution, or in all that are quiet");
        routes.MapPost("/reschedule_todo", RescheduleAsync).WithSummary("Find a new day for a to-do, or for all that are overdue");
        routes.MapPost("/first_session_message", NameAsync).WithSummary("Name a conversation after its first message");
        routes.MapPost("/task_tool_execution", RunTool).WithSummary("Run a tool of a task: there are none");
    }

    internal static ContentHttpResult Greet() => TypedResults.Text("Stoa works in the background");

    internal static async Task<Ok<SuccessText>> SummarizeAsync(Body<ExecutionBody> body, AssistantsDb db, CancellationToken ct)
    {
        var execution = body.Value.ExecutionId;
        db.Enqueue(new SummarizeExecution(execution), SummarizeExecution.Once(execution, await OwnerAsync(db, execution, ct)));
        await db.SaveChangesAsync(ct);
        return Started();
    }

    internal static async Task<Results<Ok<SuccessText>, Ok<TodoCallbacksApi.SelectedExecutions>>> ExtractAsync(
        Body<SomeExecutionBody> body, AssistantsDb db, TodoSelection selection, CancellationToken ct)
    {
        if (body.Value.ExecutionId is not { } execution)
        {
            return TypedResults.Ok(new TodoCallbacksApi.SelectedExecutions(await selection.ExtractAsync(ct)));
        }
        // Somebody asks for this one: that it came to nothing before is in nobody's way.
        var once = ExtractTodos.Once(execution, await OwnerAsync(db, execution, ct)) with { UniqueFor = null };
        db.Enqueue(new ExtractTodos(execution), once);
        await db.SaveChangesAsync(ct);
        return Started();
    }

    internal static async Task<Results<Ok<SuccessText>, Ok<TodoCallbacksApi.SelectedTodos>>> RescheduleAsync(
        Body<SomeTodoBody> body, AssistantsDb db, TodoSelection selection, TimeProvider time, CancellationToken ct)
    {
        if (body.Value.TodoPk is not { } todo)
        {
            return TypedResults.Ok(new TodoCallbacksApi.SelectedTodos(await selection.RescheduleAsync(catchesUp: false, ct)));
        }
        var (owner, zone) = await JobOwners.OfTodoAsync(db, todo, ct) ?? throw Failure.NotFound("todo");
        db.Enqueue(new RescheduleTodo(todo), RescheduleTodo.Once(todo, zone.DateAt(time.GetUtcNow()), owner) with { UniqueFor = null });
        await db.SaveChangesAsync(ct);
        return Started();
    }

    internal static async Task<Ok<SuccessText>> NameAsync(
        Body<FirstMessageBody> body, AssistantsDb db, TimeProvider time, CancellationToken ct)
    {
        var (session, message) = body.Value;
        var owner = await JobOwners.OfSessionAsync(db, session, ct) ?? throw Failure.NotFound("session");
        var given = new GivenRow { UserId = owner.Tenant!,
            Content = JsonSerializer.Serialize(message, WorkJson.Default.String), CreatedAt = time.GetUtcNow() };
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        db.Add(given);
        await db.SaveChangesAsync(ct);
        db.Enqueue(new NameSession(session, given.Id), NameSession.Once(session, owner));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return Started();
    }

    // The original kept a table of these. There is none here, so none is ever found.
    internal static Ok<SuccessText> RunTool(Body<ToolBody> _) => throw Failure.NotFound("task_tool_execution");

    private static async Task<JobOwner> OwnerAsync(AssistantsDb db, int execution, CancellationToken ct) =>
        await JobOwners.OfExecutionAsync(db, execution, ct) ?? throw Failure.NotFound("user_task_execution");

    private static Ok<SuccessText> Started() => TypedResults.Ok(new SuccessText("Process started"));

    internal sealed record ExecutionBody(int ExecutionId) : IArguments<ExecutionBody>
    {
        public static ExecutionBody Read(Fields fields) => new(fields.Integer("user_task_execution_pk"));
    }

    /// <summary>Which layout it is follows from whether the subject is named.</summary>
    internal sealed record SomeExecutionBody(int? ExecutionId) : IArguments<SomeExecutionBody>
    {
        public static SomeExecutionBody Read(Fields fields) => new(
            fields.Has("user_task_execution_pk") ? fields.Integer("user_task_execution_pk")
            : fields.OptionalInteger("user_task_execution_pk"));
    }

    internal sealed record SomeTodoBody(int? TodoPk) : IArguments<SomeTodoBody>
    {
        public static SomeTodoBody Read(Fields fields) =>
            new(fields.Has("todo_pk") ? fields.Integer("todo_pk") : fields.OptionalInteger("todo_pk"));
    }

    internal sealed record FirstMessageBody(string SessionId, string Message) : IArguments<FirstMessageBody>
    {
        public static FirstMessageBody Read(Fields fields)
        {
            var session = fields.Text("session_id", Fields.ShortText);
            fields.Text("sender");
            return new(session, fields.Text("message", Fields.LongText));
        }
    }

    internal sealed record ToolBody : IArguments<ToolBody>
    {
        public static ToolBody Read(Fields fields)
        {
            fields.Integer("task_tool_execution_pk");
            return new();
        }
    }
}
