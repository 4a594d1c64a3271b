using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Users;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Todos;

/// <summary>
/// Finds what is to be worked on and adds a job for each, page by page. Whoever asks, a schedule or a route of either layout, and however
/// often at the same time: the keys of the jobs let one run come of it.
/// </summary>
internal sealed class TodoSelection(AssistantsDb db, JobQueue queue, IOptions<TodoOptions> options, TimeProvider time)
{
    private const int PageSize = 50;

    private const int FirstHour = 1;

    // No clock on earth is further ahead.
    private static readonly TimeSpan FurthestAhead = TimeSpan.FromHours(15);

    /// <summary>Executions whose result nobody has changed for a while and that were not searched yet, however long ago that was.</summary>
    public async Task<List<int>> ExtractAsync(CancellationToken ct)
    {
        var quietSince = time.GetUtcNow() - TimeSpan.FromMinutes(options.Value.QuietMinutes);
        List<int> all = [];
        List<QuietExecution> page;
        do
        {
            var after = all.Count == 0 ? 0 : all[^1];
            page = await db.Database.SqlQuery<QuietExecution>($"""
                select e.id, e.user_id, u.organization_id, u.person_id
                from assistants.task_executions e join assistants.users u on u.id = e.user_id
                where e.todos_extracted_at is null and e.deleted_at is null and e.id > {after} and e.produced_at <= {quietSince}
                  and exists (select from assistants.produced_texts p where p.task_execution_id = e.id and p.deleted_at is null)
                order by e.id limit {PageSize}
                """).ToListAsync(ct);
            await EnqueueAsync(page.ConvertAll(row => queue.Make(
                new ExtractTodos(row.Id), ExtractTodos.Once(row.Id, JobOwners.Of(row.UserId, row.OrganizationId, row.PersonId)))), ct);
            all.AddRange(page.Select(row => row.Id));
        }
        while (page.Count == PageSize);
        return all;
    }

    /// <summary>Open to-dos whose day has passed for their user, when it is one in the morning for him and no weekend.</summary>
    /// <param name="catchesUp">Also later on that day: what an outage at that hour has left.</param>
    public async Task<List<int>> RescheduleAsync(bool catchesUp, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var latest = DateOnly.FromDateTime((now + FurthestAhead).UtcDateTime);
        List<int> all = [];
        var last = (Date: DateOnly.MinValue, Id: 0);
        List<OpenTodo> page;
        do
        {
            page = await db.Database.SqlQuery<OpenTodo>($"""
                select t.id, t.scheduled_date, t.user_id, u.organization_id, u.person_id, u.timezone_name, u.timezone_offset
                from assistants.todos t join assistants.users u on u.id = t.user_id
                where t.completed_at is null
                  and t.deleted_by_user_at is null and t.deleted_by_mojo_at is null and t.deletion_proposed_at is null
                  and (t.scheduled_date, t.id) > ({last.Date}, {last.Id}) and t.scheduled_date < {latest}
                  and (u.timezone_offset is not null or u.timezone_name is not null)
                order by t.scheduled_date, t.id limit {PageSize}
                """).ToListAsync(ct);
            var due = page.FindAll(todo => IsDue(todo, now, catchesUp));
            await EnqueueAsync(due.ConvertAll(todo => queue.Make(new RescheduleTodo(todo.Id), RescheduleTodo.Once(
                todo.Id, todo.LocalTime.DateAt(now), JobOwners.Of(todo.UserId, todo.OrganizationId, todo.PersonId)))), ct);
            all.AddRange(due.Select(todo => todo.Id));
            last = page is [.., var end] ? (end.ScheduledDate, end.Id) : last;
        }
        while (page.Count == PageSize);
        return all;
    }

    // Nobody is woken by a mail about it at the weekend, so what is left on Friday comes up on Monday.
    private static bool IsDue(OpenTodo todo, DateTimeOffset now, bool catchesUp)
    {
        var zone = todo.LocalTime;
        var local = zone.At(now);
        return zone.IsKnown && !TodoDates.IsWeekend(local.DayOfWeek) && todo.ScheduledDate < DateOnly.FromDateTime(local)
            && (catchesUp ? local.Hour >= FirstHour : local.Hour == FirstHour);
    }

    private Task EnqueueAsync(List<NewJob> jobs, CancellationToken ct) =>
        jobs.Count == 0 ? Task.CompletedTask : queue.EnqueueAsync(jobs, ct);

    private sealed record QuietExecution(int Id, string UserId, Guid OrganizationId, Guid? PersonId);

    private sealed record OpenTodo(
        int Id, DateOnly ScheduledDate, string UserId, Guid OrganizationId, Guid? PersonId, string? TimezoneName, int? TimezoneOffset)
    {
        public LocalTime LocalTime => new(TimezoneName, TimezoneOffset);
    }
}

/// <summary>A slot of the schedule: every ten minutes.</summary>
internal sealed record SelectQuietExecutions
{
    public const string Kind = "assistants.select_quiet_executions";
}

internal sealed class SelectQuietExecutionsHandler(TodoSelection selection) : IJobHandler<SelectQuietExecutions>
{
    public Task RunAsync(SelectQuietExecutions job, JobContext context, CancellationToken ct) => selection.ExtractAsync(ct);
}

/// <summary>A slot of the schedule: at each hour.</summary>
internal sealed record SelectOverdueTodos
{
    public const string Kind = "assistants.select_overdue_todos";
}

internal sealed class SelectOverdueTodosHandler(TodoSelection selection) : IJobHandler<SelectOverdueTodos>
{
    public Task RunAsync(SelectOverdueTodos job, JobContext context, CancellationToken ct) =>
        selection.RescheduleAsync(catchesUp: true, ct);
}
