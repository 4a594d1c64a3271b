using System.ComponentModel;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Stoa.Assistants.Cortexes;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Todos;

/// <summary>Looks for what the user means to do next in what he has done.</summary>
internal sealed record ExtractTodos(int ExecutionId)
{
    public const string Kind = "assistants.extract_todos";

    /// <summary>One run for an execution. Where it came to nothing, the selection leaves the execution alone for a day.</summary>
    public static EnqueueOptions Once(int executionId, JobOwner owner) => new()
    {
        Owner = owner, UniqueKey = executionId.ToString(CultureInfo.InvariantCulture), UniqueFor = TimeSpan.FromDays(1),
        UniqueIn = [JobState.Dead],
    };
}

internal sealed record FoundTodos(IReadOnlyList<FoundTodo> Todos);

internal sealed record FoundTodo(
    [property: Description("What is to be done, in the user's language, with the names and companies that recall the task it came from")]
    string TodoDefinition,
    [property: Description("yes if the user himself explicitly said that he is going to do it, else no; always in English")]
    string MentionedAsTodo,
    [property: Description("yyyy-mm-dd, reckoned from the user's own today")]
    string DueDate);

internal sealed partial class ExtractTodosCortex(
    AssistantsDb db, ExecutionSubjects executions, TodoStore todos, Mind mind, TimeProvider time, ILogger<ExtractTodosCortex> logger)
    : Cortex<ExtractTodos, ExecutionSubject, IReadOnlyList<NewTodo>>(db)
{
    private static readonly string Prompt = CortexPrompts.Of("extract-todos.1");

    private static readonly AnswerForm<FoundTodos> Form = AnswerForms.Json("todos", AnswersJson.Default.FoundTodos);

    protected override async Task<ExecutionSubject?> LoadAsync(ExtractTodos job, CancellationToken ct) =>
        await executions.FindAsync(job.ExecutionId, ct) is { TodosExtractedAt: null } subject ? subject : null;

    protected override async Task<IReadOnlyList<NewTodo>> ThinkAsync(ExecutionSubject subject, JobContext context, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var material = subject.Introduction(now)
            .Add("goal", subject.Goal)
            .Add("known_todos", subject.KnownTodos)
            .Add("task", subject.Task)
            .Add("conversation", subject.Conversation())
            .Add("result", subject.Outcome);
        var found = await mind.AskAsync(new(subject.OrganizationId, "extract_todos", Prompt, material.ToString()), Form, context, ct);
        var today = subject.LocalTime.DateAt(now);
        return [.. found.Todos.Select(todo => Accept(todo, today)).OfType<NewTodo>()];
    }

    protected override async Task SaveAsync(ExecutionSubject subject, IReadOnlyList<NewTodo> thought, CancellationToken ct)
    {
        if (await executions.NewestVersionAsync(subject.ExecutionId, ct) != subject.ResultVersionId)
        {
            // He works on: when he is quiet again, the selection finds it again.
            throw JobFailure.Discard("The user has changed the result meanwhile");
        }
        await todos.SaveExtractedAsync(subject.ExecutionId, thought, ct);
    }

    /// <summary>Null for what is no to-do of the user's, or has no day.</summary>
    private NewTodo? Accept(FoundTodo todo, DateOnly today)
    {
        var mentioned = todo.MentionedAsTodo.Trim();
        if (!mentioned.Equals("yes", StringComparison.OrdinalIgnoreCase))
        {
            if (!mentioned.Equals("no", StringComparison.OrdinalIgnoreCase))
            {
                LogUnclear();
            }
            return null;
        }
        return !string.IsNullOrWhiteSpace(todo.TodoDefinition) && TodoDates.Read(todo.DueDate, today) is { } day && TodoDates.Due(day, today) is { } due
            ? new(todo.TodoDefinition.Trim(), due)
            : null;
    }

    [LoggerMessage(LogLevel.Warning, "A model said neither yes nor no of a to-do; it is left out")]
    private partial void LogUnclear();
}
