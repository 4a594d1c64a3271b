using System.ComponentModel;
using System.ComponentModel.DataAnnotations.Schema;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Mail;
using Stoa.Assistants.Users;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Todos;

/// <summary>Finds another day for a to-do that was not done.</summary>
internal sealed record RescheduleTodo(int TodoId)
{
    public const string Kind = "assistants.reschedule_todo";

    /// <summary>Once for a to-do on a day of its user's, however often it is asked for and whatever came of it.</summary>
    public static EnqueueOptions Once(int todoId, DateOnly localDate, JobOwner owner) => new()
    {
        Owner = owner, UniqueKey = string.Create(CultureInfo.InvariantCulture, $"{todoId}:{localDate:yyyy-MM-dd}"),
        UniqueFor = TimeSpan.FromDays(2),
    };
}

internal sealed record RescheduleDecision
{
    // These two only make the model weigh, so they come first and may be left out.
    [Description("What speaks for doing it soon")]
    public string? Pros { get; init; }

    [Description("What speaks for doing it later")]
    public string? Cons { get; init; }

    [Description("The decision in one or two sentences to the user, in his language")]
    public required string Argument { get; init; }

    [Description("yyyy-mm-dd, after the user's own today")]
    public required string RescheduleDate { get; init; }
}

/// <param name="To">Null: it was moved too often, and the user shall be asked.</param>
internal sealed record Rescheduling(string Why, DateOnly? To)
{
    /// <summary>False: the model named no day that can be used, so it is ours.</summary>
    public bool IsOfModel { get; init; } = true;
}

internal sealed record OverdueTodo
{
    public required int TodoId { get; init; }

    public int? TaskExecutionId { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string UserName { get; init; }

    public string? CompanyDescription { get; init; }

    public string? Goal { get; init; }

    public required string LanguageCode { get; init; }

    public string? TimezoneName { get; init; }

    public int? TimezoneOffset { get; init; }

    public required string Description { get; init; }

    public required DateOnly ScheduledDate { get; init; }

    public required DateOnly FirstScheduledDate { get; init; }

    /// <summary>The first day included.</summary>
    public required int Schedulings { get; init; }

    /// <summary>The user's other open ones, a line each, the latest first.</summary>
    public string? Upcoming { get; init; }

    /// <summary>Where it came from; null: the user wrote it by hand.</summary>
    [NotMapped]
    public ExecutionSubject? Execution { get; init; }

    public LocalTime LocalTime => new(TimezoneName, TimezoneOffset);
}

internal sealed class RescheduleTodoCortex(
    AssistantsDb db, ExecutionSubjects executions, TodoStore todos, Mind mind,
    TechnicalMail technical, IOptions<TodoOptions> options, TimeProvider time)
    : Cortex<RescheduleTodo, OverdueTodo, Rescheduling>(db)
{
    private const int MostUpcoming = 20;

    private static readonly string Prompt = CortexPrompts.Of("reschedule-todo.1");

    private static readonly AnswerForm<RescheduleDecision> Form =
        AnswerForms.Json("reschedule_decision", AnswersJson.Default.RescheduleDecision);

    private readonly AssistantsDb db = db;

    protected override async Task<OverdueTodo?> LoadAsync(RescheduleTodo job, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        // Whose today is earlier than UTC's is told of yesterday's too: that is no overdue item of his.
        var earliest = DateOnly.FromDateTime(now.UtcDateTime).AddDays(-1);
        var todo = (await db.Database.SqlQuery<OverdueTodo>($"""
            select t.id as todo_id, t.task_execution_id, u.organization_id, u.name as user_name, u.company_description,
              u.goal, u.language_code,
              u.timezone_name, u.timezone_offset, t.description, t.scheduled_date,
              (select s.scheduled_date from assistants.todo_schedulings s
                where s.todo_id = t.id order by s.id limit 1) as first_scheduled_date,
              (select count(*)::integer from assistants.todo_schedulings s where s.todo_id = t.id) as schedulings,
              (select string_agg(other.scheduled_date || ': ' || other.description, E'\n' order by other.scheduled_date desc, other.id)
                from (
                select o.id, o.scheduled_date, o.description from assistants.todos o
                where o.user_id = t.user_id and o.id <> t.id and o.scheduled_date >= {earliest} and o.completed_at is null
                  and o.deleted_by_user_at is null and o.deleted_by_mojo_at is null
                order by o.scheduled_date desc, o.id limit {MostUpcoming}
              ) other) as upcoming
            from assistants.todos t join assistants.users u on u.id = t.user_id
            where t.id = {job.TodoId} and t.completed_at is null and t.deleted_by_user_at is null and t.deleted_by_mojo_at is null
              and t.deletion_proposed_at is null
            """).ToListAsync(ct)).FirstOrDefault();
        if (todo is null || todo.ScheduledDate >= todo.LocalTime.DateAt(now))
        {
            return null;
        }
        return todo.TaskExecutionId is { } execution ? todo with { Execution = await executions.FindAsync(execution, ct) } : todo;
    }

    protected override async Task<Rescheduling> ThinkAsync(OverdueTodo subject, JobContext context, CancellationToken ct)
    {
        var moves = subject.Schedulings - 1;
        if (moves >= options.Value.MaxReschedules)
        {
            return new(string.Create(CultureInfo.InvariantCulture,
                $"{subject.FirstScheduledDate:yyyy-MM-dd} → {subject.ScheduledDate:yyyy-MM-dd}, × {moves}"), To: null);
        }
        var now = time.GetUtcNow();
        var today = subject.LocalTime.DateAt(now);
        var material = Material(subject, now, moves).ToString();
        var decision = await DecideAsync(material, goesOn: false);
        if (Day(decision) is { } day)
        {
            return new(decision.Argument, day);
        }
        decision = await DecideAsync(string.Create(CultureInfo.InvariantCulture, $"""
            {material}

            You have decided before for a reschedule_date that cannot be used. It must be written as yyyy-mm-dd, lie after {today:yyyy-MM-dd} and not
            after {today.AddDays(TodoDates.MostDaysMoved):yyyy-MM-dd}. Decide again.
            """), goesOn: true);
        return Day(decision) is { } better
            ? new(decision.Argument, better)
            : new(decision.Argument, TodoDates.NextWeekday(today)) { IsOfModel = false };

        Task<RescheduleDecision> DecideAsync(string told, bool goesOn) =>
            mind.AskAsync(new(subject.OrganizationId, "reschedule_todo", Prompt, told) { GoesOn = goesOn }, Form, context, ct);

        DateOnly? Day(RescheduleDecision made) =>
            TodoDates.Read(made.RescheduleDate, today) is { } date && TodoDates.CanMoveTo(date, today) ? date : null;
    }

    protected override async Task SaveAsync(OverdueTodo subject, Rescheduling thought, CancellationToken ct)
    {
        await (thought.To is { } day
            ? todos.MoveAsync(subject.TodoId, subject.ScheduledDate, day, thought.Why, ct)
            : todos.ProposeDeletionAsync(subject.TodoId, subject.ScheduledDate, thought.Why, ct));
        if (!thought.IsOfModel)
        {
            technical.Tell(
                db, "A model named no day that a to-do can be moved to, not even when it was told so. To-dos were moved to the next weekday instead.");
        }
    }

    private static Material Material(OverdueTodo subject, DateTimeOffset now, int moves) => new Material()
        .Add("now", subject.LocalTime.At(now).ToString("dddd dd MMMM yyyy, HH:mm", CultureInfo.InvariantCulture))
        .Add("language", subject.Execution?.Language ?? subject.LanguageCode)
        .Add("user_name", subject.UserName)
        .Add("company", subject.CompanyDescription)
        .Add("goal", subject.Goal)
        .Add("task", subject.Execution?.Task)
        .Add("result", subject.Execution?.Outcome)
        .Add("todo", subject.Description)
        .Add("history", string.Create(
            CultureInfo.InvariantCulture,
            $"First planned for {subject.FirstScheduledDate:yyyy-MM-dd}, rescheduled {moves} times since; last due on {subject.ScheduledDate:yyyy-MM-dd} and not done."))
        .Add("other_todos", subject.Upcoming);
}
