using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Users;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Todos;

internal sealed record NewTodo(string Description, DateOnly Due);

/// <summary>Writes to-dos: for the processes, for the routes that are written back to, and for the user.</summary>
internal sealed class TodoStore(AssistantsDb db, TimeProvider time)
{
    /// <summary>By the background: it knows the execution and nothing of its user.</summary>
    /// <exception cref="Failure">400: there is no such execution, or the day lies too far ahead.</exception>
    public async Task<int> AddAsync(int executionId, string description, DateOnly due, CancellationToken ct)
    {
        var execution = (await db.Database.SqlQuery<Zone>($"""
            select u.id as user_id, u.timezone_name, u.timezone_offset
            from assistants.task_executions e
              join assistants.users u on u.id = e.user_id where e.id = {executionId} and e.deleted_at is null
            """).ToListAsync(ct)).FirstOrDefault() ?? throw Failure.Invalid($"Invalid user_task_execution_fk {executionId}");
        return await AddAsync(execution, executionId, description, due, ct);
    }

    /// <summary>By the user himself, with an execution of his or none.</summary>
    /// <exception cref="Failure">404, 400.</exception>
    public async Task<int> AddAsync(string userId, int? executionId, string description, DateOnly due, CancellationToken ct)
    {
        var user = (await db.Database.SqlQuery<Zone>($"""
            select u.id as user_id, u.timezone_name, u.timezone_offset from assistants.users u
              where u.id = {userId} and ({executionId}::integer is null
              or exists (select from assistants.task_executions e where e.id = {executionId} and e.user_id = u.id and e.deleted_at is null))
            """).ToListAsync(ct)).FirstOrDefault() ?? throw Failure.NotFound("user_task_execution_pk");
        return await AddAsync(user, executionId, description, due, ct);
    }

    /// <summary>
    /// All that was found in an execution, and the mark that it was looked for. What is there already is not added again.
    /// </summary>
    /// <returns>False when there is no such execution.</returns>
    public async Task<bool> SaveExtractedAsync(int executionId, IReadOnlyList<NewTodo> found, CancellationToken ct)
    {
        string[] descriptions = [.. found.Select(todo => todo.Description)];
        string[] keys = [.. found.Select(todo => TodoDates.KeyOf(todo.Description, todo.Due))];
        DateOnly[] dates = [.. found.Select(todo => todo.Due)];
        var now = time.GetUtcNow();
        return (await db.Database.SqlQuery<int>($"""
            with execution as (
              update assistants.task_executions set todos_extracted_at = {now}
                where id = {executionId} and deleted_at is null returning id, user_id
            ), added as (
              insert into assistants.todos (user_id, task_execution_id, description, content_key, scheduled_date, created_at)
              select execution.user_id, execution.id, found.description, found.content_key, found.scheduled_date, {now}
              from execution, unnest({descriptions}, {keys}, {dates}) as found (description, content_key, scheduled_date)
              on conflict (task_execution_id, content_key) where task_execution_id is not null do nothing
              returning id, scheduled_date
            ), scheduled as (
              insert into assistants.todo_schedulings (todo_id, scheduled_date, created_at) select id, scheduled_date, {now} from added
            )
            select id as "Value" from execution
            """).ToListAsync(ct)).Count == 1;
    }

    /// <summary>To another day, with the reason.</summary>
    /// <param name="from">Only if it is still planned for that day; null: whichever it is.</param>
    /// <returns>The scheduling; null when it was not moved.</returns>
    public async Task<int?> MoveAsync(int todoId, DateOnly? from, DateOnly to, string why, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return (await db.Database.SqlQuery<int>($"""
            with moved as (
              update assistants.todos set scheduled_date = {to}
              where id = {todoId} and completed_at is null and deleted_by_user_at is null and deleted_by_mojo_at is null
                and ({from}::date is null or scheduled_date = {from})
              returning id
            )
            insert into assistants.todo_schedulings (todo_id, scheduled_date, reschedule_justification, created_at)
            select id, {to}, {why}, {now} from moved returning id as "Value"
            """).ToListAsync(ct)) is [var scheduling] ? scheduling : null;
    }

    /// <summary>The assistant deletes it, with the reason. Done twice it stays as it was.</summary>
    public async Task<bool> DeleteByAssistantAsync(int todoId, string why, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return await db.Database.ExecuteSqlAsync($"""
            update assistants.todos
              set deletion_justification = case when deleted_by_mojo_at is null then {why} else deletion_justification end,
              deleted_by_mojo_at = coalesce(deleted_by_mojo_at, {now})
            where id = {todoId} and deleted_by_user_at is null
            """, ct) == 1;
    }

    /// <summary>Asks the user to let it go, if it is still open and planned for that day.</summary>
    public Task ProposeDeletionAsync(int todoId, DateOnly from, string why, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return db.Database.ExecuteSqlAsync($"""
            update assistants.todos set deletion_proposed_at = {now}, deletion_justification = {why}
            where id = {todoId} and scheduled_date = {from} and completed_at is null and deleted_by_user_at is null
              and deleted_by_mojo_at is null and deletion_proposed_at is null
            """, ct);
    }

    /// <summary>Null when it is not there, or somebody deleted it.</summary>
    public async Task<LocalTime?> ZoneOfAsync(int todoId, CancellationToken ct) => (await db.Database.SqlQuery<Zone>($"""
        select u.id as user_id, u.timezone_name, u.timezone_offset from assistants.todos t join assistants.users u on u.id = t.user_id
        where t.id = {todoId} and t.deleted_by_user_at is null and t.deleted_by_mojo_at is null
        """).ToListAsync(ct)).FirstOrDefault()?.LocalTime;

    private async Task<int> AddAsync(Zone user, int? executionId, string description, DateOnly due, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var day = TodoDates.Due(due, user.LocalTime.DateAt(now)) ?? throw TooFar(due);
        var key = TodoDates.KeyOf(description, day);
        return (await db.Database.SqlQuery<int>($"""
            with added as (
              insert into assistants.todos (user_id, task_execution_id, description, content_key, scheduled_date, created_at)
              values ({user.UserId}, {executionId}, {description}, {key}, {day}, {now})
              on conflict (task_execution_id, content_key)
              where task_execution_id is not null do update set content_key = excluded.content_key
              returning id, xmax = 0 as is_new
            ), scheduled as (
              insert into assistants.todo_schedulings (todo_id, scheduled_date, created_at) select id, {day}, {now} from added where is_new
            )
            select id as "Value" from added
            """).ToListAsync(ct)).Single();
    }

    private static Failure TooFar(DateOnly due) =>
        Failure.Invalid(FormattableString.Invariant($"Invalid due_date {due:yyyy-MM-dd}"), "due_date");

    private sealed record Zone(string UserId, string? TimezoneName, int? TimezoneOffset)
    {
        public LocalTime LocalTime => new(TimezoneName, TimezoneOffset);
    }
}
