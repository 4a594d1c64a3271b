using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Tasks;
using Stoa.Assistants.Users;

namespace Stoa.Assistants.Executions;

/// <summary>Reads executions with all that a client shows of them.</summary>
internal sealed class ExecutionViews(AssistantsDb db, UserTaskStore tasks)
{
    public async Task<ExecutionView?> FindAsync(UserRow user, int id, CancellationToken ct) =>
        (await ViewsAsync(user, [id], isOne: true, ct)).SingleOrDefault();

    /// <summary>What was started and not deleted, newest first.</summary>
    public async Task<List<ExecutionView>> ListAsync(UserRow user, ExecutionsApi.Wanted wanted, CancellationToken ct)
    {
        var like = wanted.Search is null ? null : $"%{wanted.Search.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%";
        var ids = await db.Database.SqlQuery<int>($"""
            select e.id as "Value" from assistants.task_executions e
            where e.user_id = {user.Id} and e.deleted_at is null and e.started_at is not null
              and ({wanted.UserTaskIds}::integer[] is null or e.user_task_id = any ({wanted.UserTaskIds}))
              and ({like}::text is null or exists (
                select from assistants.produced_texts p join assistants.produced_text_versions v on v.produced_text_id = p.id
                where p.task_execution_id = e.id and p.deleted_at is null and (v.title ilike {like} or v.production ilike {like})))
            order by e.started_at desc, e.id desc offset {wanted.Offset} limit {wanted.Most}
            """).ToListAsync(ct);
        return ids.Count == 0 ? [] : await ViewsAsync(user, [.. ids], isOne: false, ct);
    }

    private Task<List<Found>> FindAsync(UserRow user, int[] ids, CancellationToken ct) => db.Database.SqlQuery<Found>($"""
        select e.id, e.started_at, e.ended_at, e.deleted_at is not null as is_deleted, e.title, e.summary, e.session_id,
          e.json_input_values::text as inputs, t.id as task_id, t.icon, t.type as task_type,
          coalesce(own.name_for_user, en.name_for_user, t.name_for_system) as task_name, e.user_task_id,
          todo.n as todos, todo.unread as unread_todos, text.produced_text_id, text.version_id, text.title as text_title, text.production,
          text.rank as version_rank, e.todos_extracted_at is null as is_working_on_todos
        from unnest({ids}) with ordinality as wanted (id, place)
        join assistants.task_executions e on e.id = wanted.id and e.user_id = {user.Id}
        join assistants.user_tasks ut on ut.id = e.user_task_id
        join assistants.tasks t on t.id = ut.task_id
        left join assistants.task_texts own on own.task_id = t.id and own.language_code = left({user.LanguageCode}, 2)
        left join assistants.task_texts en on en.task_id = t.id and en.language_code = 'en'
        cross join lateral (
          select count(*)::integer as n, (count(*) filter (where d.read_at is null))::integer as unread from assistants.todos d
          where d.task_execution_id = e.id and d.deleted_by_user_at is null and d.deleted_by_mojo_at is null) todo
        left join lateral (
          select p.id as produced_text_id, v.id as version_id, v.title, v.production,
            (select count(*)::integer from assistants.produced_text_versions other where other.produced_text_id = p.id) as rank
          from assistants.produced_texts p join assistants.produced_text_versions v on v.produced_text_id = p.id
          where p.task_execution_id = e.id and p.deleted_at is null order by v.created_at desc, v.id desc limit 1) text on true
        order by wanted.place
        """).ToListAsync(ct);

    private async Task<List<ExecutionView>> ViewsAsync(UserRow user, int[] ids, bool isOne, CancellationToken ct)
    {
        var found = await FindAsync(user, ids, ct);
        var workflows = found.FindAll(row => row.TaskType == "workflow");
        var steps = await tasks.StepsAsync([.. workflows.Select(row => row.TaskId).Distinct()], user.LanguageCode, ct);
        var runs = await RunsAsync([.. workflows.Select(row => row.Id)], ct);
        var clock = new LocalTime(user.TimezoneName, user.TimezoneOffset);
        return found.ConvertAll(row => new ExecutionView
        {
            UserTaskExecutionPk = row.Id,
            StartDate = clock.Shown(row.StartedAt),
            EndDate = clock.Shown(row.EndedAt),
            DeletedByUser = isOne ? row.IsDeleted : null,
            Title = row.Title,
            Summary = row.Summary,
            SessionId = row.SessionId,
            JsonInputsValues = ExecutionInputs.Shown(row.Inputs),
            Icon = row.Icon,
            TaskName = row.TaskName,
            TaskType = isOne ? row.TaskType : null,
            UserTaskPk = row.UserTaskId,
            NTodos = row.Todos,
            NNotReadTodos = row.UnreadTodos,
            ProducedTextPk = row.ProducedTextId,
            ProducedTextTitle = row.TextTitle,
            ProducedTextProduction = row.Production,
            ProducedTextVersionPk = row.VersionId,
            ProducedTextVersionIndex = row.VersionRank,
            WorkingOnTodos = row.IsWorkingOnTodos,
            Steps = row.TaskType == "workflow" ? [.. steps[row.TaskId]] : null,
            StepExecutions = row.TaskType == "workflow" ? [.. runs[row.Id].Select(run => ViewOf(run, steps[row.TaskId]))] : null,
        });
    }

    private async Task<ILookup<int, Run>> RunsAsync(int[] executions, CancellationToken ct)
    {
        var runs = executions.Length == 0 ? [] : await db.Database.SqlQuery<Run>($"""
            select id, task_execution_id as execution_id, workflow_step_id as step_id, parameter::text as parameter, result::text as result,
              error_status::text as error
            from assistants.workflow_step_executions where task_execution_id = any ({executions}) order by task_execution_id, id
            """).ToListAsync(ct);
        return runs.ToLookup(run => run.ExecutionId);
    }

    private static StepExecutionView ViewOf(Run run, IEnumerable<UserTasksApi.TaskStep> steps) => new(
        run.Id, run.StepId, steps.FirstOrDefault(step => step.WorkflowStepPk == run.StepId)?.StepNameForUser ?? "",
        JsonElement.Parse(run.Parameter),
        run.Result is null ? null : JsonElement.Parse(run.Result), run.Error is null ? null : JsonElement.Parse(run.Error));

    private sealed record Run(int Id, int ExecutionId, int StepId, string Parameter, string? Result, string? Error);

    private sealed record Found(
        int Id, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, bool IsDeleted, string? Title, string? Summary, string SessionId,
        string Inputs, int TaskId, string Icon, string TaskType, string TaskName, int UserTaskId, int Todos, int UnreadTodos,
        int? ProducedTextId, int? VersionId, string? TextTitle, string? Production, int? VersionRank, bool IsWorkingOnTodos);
}
