using System.ComponentModel;
using System.Globalization;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Mail;
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

/// <param name="HasUnclear">Of some the model said neither yes nor no.</param>
internal sealed record ExtractedTodos(IReadOnlyList<NewTodo> Todos, bool HasUnclear);

internal sealed class ExtractTodosCortex(
    AssistantsDb db, ExecutionSubjects executions, TodoStore todos, Mind mind, TechnicalMail technical, TimeProvider time)
    : Cortex<ExtractTodos, ExecutionSubject, ExtractedTodos>(db)
{
    private static readonly string Prompt = CortexPrompts.Of("extract-todos.1");

    private static readonly AnswerForm<FoundTodos> Form = AnswerForms.Json("todos", AnswersJson.Default.FoundTodos);

    private readonly AssistantsDb db = db;

    protected override async Task<ExecutionSubject?> LoadAsync(ExtractTodos job, CancellationToken ct) =>
        await executions.FindAsync(job.ExecutionId, ct) is { TodosExtractedAt: null } subject ? subject : null;

    protected override async Task<ExtractedTodos> ThinkAsync(ExecutionSubject subject, JobContext context, CancellationToken ct)
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
        return new(
            [.. found.Todos.Where(todo => Says(todo, "yes")).Select(todo => Accept(todo, today)).OfType<NewTodo>()],
            found.Todos.Any(todo => !Says(todo, "yes") && !Says(todo, "no")));
    }

    protected override async Task SaveAsync(ExecutionSubject subject, ExtractedTodos thought, CancellationToken ct)
    {
        if (await executions.NewestVersionAsync(subject.ExecutionId, ct) != subject.ResultVersionId)
        {
            // He works on: when he is quiet again, the selection finds it again.
            throw JobFailure.Discard("The user has changed the result meanwhile");
        }
        await todos.SaveExtractedAsync(subject.ExecutionId, thought.Todos, ct);
        if (thought.HasUnclear)
        {
            technical.Tell(
                db, "A model said neither yes nor no when it was asked whether the user means to do something. Such to-dos are left out.");
        }
    }

    private static bool Says(FoundTodo todo, string word) => todo.MentionedAsTodo.Trim().Equals(word, StringComparison.OrdinalIgnoreCase);

    /// <summary>Null for what has no words or no day.</summary>
    private static NewTodo? Accept(FoundTodo todo, DateOnly today) =>
        !string.IsNullOrWhiteSpace(todo.TodoDefinition)
            && TodoDates.Read(todo.DueDate, today) is { } day && TodoDates.Due(day, today) is { } due
            ? new(todo.TodoDefinition.Trim(), due)
            : null;
}
