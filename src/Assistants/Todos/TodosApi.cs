using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Todos;

/// <summary>A user's own to-dos.</summary>
internal static class TodosApi
{
    public static void MapOwnTodos(this IEndpointRouteBuilder routes)
    {
        var todos = routes.MapGroup("/todos").WithTags("To-dos").RequireMojodexUser();
        todos.MapGet("/", ListAsync).WithSummary("List to-dos");
        todos.MapPost("/", MarkAsync).WithSummary("Mark to-dos read, or one done");
        todos.MapDelete("/", DeleteAsync).WithSummary("Delete a to-do");
        todos.MapPost("/manual", WriteAsync).WithSummary("Write a to-do by hand");
    }

    internal static async Task<Ok<TodoPage>> ListAsync(
        Query<ListQuery> query, MojodexCaller caller, TodoLists todos, CancellationToken ct) =>
        TypedResults.Ok(await todos.ListAsync(caller.UserId!, query.Value.ExecutionId, query.Value.Limit, query.Value.Offset, ct));

    internal static async Task<Ok<Marked>> MarkAsync(Body<MarkBody> body, MojodexCaller caller, TodoLists todos, CancellationToken ct)
    {
        var (user, mark) = (caller.UserId!, body.Value);
        switch (mark)
        {
            case { IsDone: true, TodoPk: { } todo }:
                await todos.CompleteAsync(user, todo, ct);
                return TypedResults.Ok(new Marked { TodoPk = todo });
            case { IsDone: true }:
                throw Failure.Invalid("Missing field todo_pk", "todo_pk");
            case { TodoPk: { } todo }:
                return await todos.ReadAsync(user, todo, ct)
                    ? TypedResults.Ok(new Marked { TodoPk = todo }) : throw Failure.NotFound("Todo");
            case { ExecutionId: { } execution }:
                await todos.ReadExecutionAsync(user, execution, ct);
                return TypedResults.Ok(new Marked { UserTaskExecutionPk = execution });
            default:
                return TypedResults.Ok(new Marked { TodoPks = await todos.ReadAllAsync(user, ct) });
        }
    }

    internal static async Task<Ok<Deleted>> DeleteAsync(
        Query<DeleteQuery> query, MojodexCaller caller, TodoLists todos, CancellationToken ct) =>
        await todos.DeleteAsync(caller.UserId!, query.Value.TodoPk, ct)
            ? TypedResults.Ok(new Deleted(query.Value.TodoPk.ToString(CultureInfo.InvariantCulture)))
            : throw Failure.NotFound("Todo");

    internal static async Task<Ok<TodoMade>> WriteAsync(
        Body<ManualBody> body, MojodexCaller caller, TodoStore todos, CancellationToken ct) =>
        TypedResults.Ok(
            new TodoMade(await todos.AddAsync(caller.UserId!, body.Value.ExecutionId, body.Value.Description, body.Value.Due, ct)));

    internal sealed record ListQuery(int? ExecutionId, int Limit, int Offset) : IArguments<ListQuery>
    {
        public static ListQuery Read(Fields fields) =>
            new(fields.OptionalInteger("user_task_execution_fk"), fields.PageSize("n_todos"), fields.Offset());
    }

    internal sealed record MarkBody(bool IsDone, int? TodoPk, int? ExecutionId) : IArguments<MarkBody>
    {
        public static MarkBody Read(Fields fields)
        {
            var (isRead, isDone) = (fields.OptionalFlag("mark_as_read") ?? false, fields.OptionalFlag("mark_as_done") ?? false);
            MarkBody body = new(isDone, fields.OptionalInteger("todo_pk"), fields.OptionalInteger("user_task_execution_pk"));
            return isRead != isDone || fields.IsDocument ? body
                : throw Failure.Invalid("Exactly one of mark_as_read and mark_as_done must be true", "mark_as_read");
        }
    }

    internal sealed record DeleteQuery(int TodoPk) : IArguments<DeleteQuery>
    {
        public static DeleteQuery Read(Fields fields) => new(fields.Integer("todo_pk"));
    }

    internal sealed record ManualBody(string Description, DateOnly Due, int? ExecutionId) : IArguments<ManualBody>
    {
        public static bool HasDatetime => false;

        public static ManualBody Read(Fields fields) => new(
            TodoFields.Description(fields), TodoFields.Day(fields, "due_date"), fields.OptionalInteger("user_task_execution_fk"));
    }

    /// <summary>One of them, as was asked for.</summary>
    internal sealed record Marked
    {
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public int? TodoPk { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public int? UserTaskExecutionPk { get; init; }

        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public IReadOnlyList<int>? TodoPks { get; init; }
    }

    /// <param name="TodoPk">As it was sent.</param>
    internal sealed record Deleted(string TodoPk);
}

internal sealed record TodoMade(int TodoPk);

/// <summary>What several bodies have in common.</summary>
internal static class TodoFields
{
    private const int LongestDescription = 10_000;

    public static string Description(Fields fields)
    {
        var text = fields.Text("description", LongestDescription).Trim();
        return text.Length > 0 || fields.IsDocument ? text : throw fields.Wrong("description");
    }

    /// <summary><c>yyyy-mm-dd</c>, else <c>Invalid due_date 12/31</c>.</summary>
    public static DateOnly Day(Fields fields, string name) => OptionalDay(fields, name)
        ?? (fields.IsDocument ? default : throw (fields.Has(name) ? fields.Wrong(name) : fields.Missing(name)));

    public static DateOnly? OptionalDay(Fields fields, string name) =>
        fields.OptionalDate(name, sent => Failure.Invalid($"Invalid {name} {Shortened(sent)}", name));

    private static string Shortened(string sent) => sent.Length <= 100 ? sent : sent[..100];
}
