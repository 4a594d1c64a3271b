using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Users;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Todos;

/// <summary>A user's to-dos as he sees them, and what he does to them. Whose they are is part of every statement.</summary>
internal sealed class TodoLists(AssistantsDb db, TimeProvider time)
{
    /// <param name="executionId">Given: those of it, done ones too. Else what is open from the user's today on.</param>
    /// <exception cref="Failure">404: the execution is not the user's.</exception>
    public async Task<TodoPage> ListAsync(string userId, int? executionId, int limit, int offset, CancellationToken ct)
    {
        var about = (await db.Database.SqlQuery<About>($"""
            select u.timezone_name, u.timezone_offset, not exists (select from assistants.todos t where t.user_id = u.id) as has_none,
              exists (select from assistants.task_executions e
                where e.id = {executionId} and e.user_id = u.id and e.deleted_at is null) as has_execution
            from assistants.users u where u.id = {userId}
            """).ToListAsync(ct)).FirstOrDefault();
        if (about is null || (executionId is not null && !about.HasExecution))
        {
            throw Failure.NotFound("user_task_execution_pk");
        }
        var zone = new LocalTime(about.TimezoneName, about.TimezoneOffset);
        var todos = executionId is { } execution
            ? db.Todos.AsNoTracking().Where(todo => todo.UserId == userId && todo.TaskExecutionId == execution
                && todo.DeletedByUserAt == null && todo.DeletedByMojoAt == null)
            : OpenFrom(userId, zone.DateAt(time.GetUtcNow()));
        var page = await todos.OrderBy(todo => todo.ScheduledDate).ThenBy(todo => todo.Id).Skip(offset).Take(limit).ToListAsync(ct);
        var unread = await todos.CountAsync(todo => todo.ReadAt == null, ct);
        return new(page.ConvertAll(todo => TodoView.Of(todo, zone)), about.HasNone, unread);
    }

    /// <summary>False when there is none.</summary>
    public async Task<bool> ReadAsync(string userId, int todoId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return await Mine(userId).Where(todo => todo.Id == todoId)
            .ExecuteUpdateAsync(set => set.SetProperty(todo => todo.ReadAt, todo => todo.ReadAt ?? now), ct) == 1;
    }

    /// <exception cref="Failure">404: the execution is not the user's.</exception>
    public async Task ReadExecutionAsync(string userId, int executionId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (!await db.TaskExecutions.AnyAsync(
            execution => execution.Id == executionId && execution.UserId == userId && execution.DeletedAt == null, ct))
        {
            throw Failure.NotFound("user_task_execution_pk");
        }
        await db.Todos.Where(todo => todo.TaskExecutionId == executionId && todo.UserId == userId && todo.ReadAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(todo => todo.ReadAt, now), ct);
    }

    /// <returns>Those that were unread.</returns>
    public Task<List<int>> ReadAllAsync(string userId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return db.Database.SqlQuery<int>($"""
            update assistants.todos set read_at = {now}
            where user_id = {userId}
              and read_at is null and deleted_by_user_at is null and deleted_by_mojo_at is null returning id as "Value"
            """).ToListAsync(ct);
    }

    /// <exception cref="Failure">404; 400: it was done before.</exception>
    public async Task CompleteAsync(string userId, int todoId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (await Mine(userId).Where(todo => todo.Id == todoId && todo.CompletedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(todo => todo.CompletedAt, now), ct) == 0)
        {
            throw await Mine(userId).AnyAsync(todo => todo.Id == todoId, ct)
                ? Failure.Invalid("Todo already done, can't do it again.")
                : Failure.NotFound("Todo");
        }
    }

    /// <summary>False when there is none.</summary>
    public async Task<bool> DeleteAsync(string userId, int todoId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return await Mine(userId).Where(todo => todo.Id == todoId)
            .ExecuteUpdateAsync(set => set.SetProperty(todo => todo.DeletedByUserAt, now), ct) == 1;
    }

    private IQueryable<TodoRow> OpenFrom(string userId, DateOnly today) => db.Todos.AsNoTracking().Where(todo =>
        todo.UserId == userId && todo.ScheduledDate >= today && todo.CompletedAt == null
        && todo.DeletedByUserAt == null && todo.DeletedByMojoAt == null);

    private IQueryable<TodoRow> Mine(string userId) =>
        db.Todos.Where(todo => todo.UserId == userId && todo.DeletedByUserAt == null && todo.DeletedByMojoAt == null);

    private sealed record About(string? TimezoneName, int? TimezoneOffset, bool HasNone, bool HasExecution);
}

internal sealed record TodoPage(IReadOnlyList<TodoView> Todos, bool UserHasNeverDoneTodo, int NTodosNotRead);

/// <param name="Completed">By the user's own clock, like all instants of it.</param>
internal sealed record TodoView(
    int TodoPk, int? UserTaskExecutionFk, string Description,
    DateOnly ScheduledDate, DateTimeOffset? Completed, DateTimeOffset CreationDate,
    DateTimeOffset? ReadByUser)
{
    public static TodoView Of(TodoRow row, LocalTime zone) => new(
        row.Id, row.TaskExecutionId, row.Description, row.ScheduledDate, zone.Shown(row.CompletedAt), zone.Shown(row.CreatedAt)!.Value,
        zone.Shown(row.ReadAt));
}
