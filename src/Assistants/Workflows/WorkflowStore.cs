using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Executions;
using Stoa.Assistants.Live;
using Stoa.Assistants.ProducedTexts;
using Stoa.Assistants.Users;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Workflows;

/// <summary>
/// Tasks in steps: the first is given the form's values, each other one what the step before it made, and what the last one makes is what
/// the execution produces.
/// </summary>
internal sealed class WorkflowStore(AssistantsDb db, ProducedTextStore texts, TimeProvider time)
{
    private const int MostRelaunched = 500;

    /// <summary>Of what was begun so long ago and has no result, nothing more is expected.</summary>
    public static readonly TimeSpan Locked = TimeSpan.FromMinutes(30);

    /// <summary>In the caller's transaction. A workflow without steps has nothing to do.</summary>
    public async Task BeginAsync(UserRow user, ExecutionRow execution, CancellationToken ct)
    {
        var first = await db.Database.SqlQuery<int>($"""
            select s.id as "Value" from assistants.workflow_steps s join assistants.user_tasks ut on ut.task_id = s.task_id
            where ut.id = {execution.UserTaskId} order by s.rank limit 1
            """).ToListAsync(ct);
        if (first is [var step])
        {
            await AddAsync(user, execution.Id, execution.SessionId, step, execution.JsonInputValues, ct);
        }
    }

    /// <summary>Null when it was done, has failed, or its execution was deleted.</summary>
    public async Task<StepSubject?> FindAsync(int stepExecutionId, CancellationToken ct) => (await db.Database.SqlQuery<StepSubject>($"""
        select run.id, run.task_execution_id as execution_id, e.session_id, run.workflow_step_id as step_id,
          run.parameter::text as parameter,
          s.name_for_system as name, s.definition_for_system as definition,
          (select next.id from assistants.workflow_steps next
            where next.task_id = s.task_id and next.rank > s.rank order by next.rank limit 1) as next_id
        from assistants.workflow_step_executions run
        join assistants.workflow_steps s on s.id = run.workflow_step_id
        join assistants.task_executions e on e.id = run.task_execution_id and e.deleted_at is null
        where run.id = {stepExecutionId} and run.result is null and run.error_status is null
        """).ToListAsync(ct)).FirstOrDefault();

    /// <summary>In the transaction of the job: its result, and the next step or what the workflow produced.</summary>
    public async Task SaveAsync(StepSubject step, ExecutionSubject about, string result, CancellationToken ct)
    {
        var json = JsonSerializer.SerializeToElement(result, WorkJson.Default.String).GetRawText();
        var saved = await db.Database.ExecuteSqlAsync($"""
            update assistants.workflow_step_executions set result = {json}::jsonb, ended_at = {time.GetUtcNow()}
            where id = {step.Id} and result is null and error_status is null
            """, ct);
        if (saved == 0)
        {
            return;
        }
        var user = await db.Users.AsNoTracking().SingleAsync(row => row.Id == about.UserId, ct);
        if (step.NextId is { } next)
        {
            await AddAsync(user, step.ExecutionId, step.SessionId, next, json, ct);
        }
        else
        {
            var made = await texts.SaveAsync(user, new(result, null, null, step.ExecutionId, step.SessionId, null), ct);
            await LiveEvents.TellAsync(db, user.Id, step.SessionId, "workflow_execution_produced_text", new JsonObject
            {
                ["user_task_execution_pk"] = step.ExecutionId, ["produced_text_pk"] = made.ProducedTextPk,
                ["produced_text_version_pk"] = made.ProducedTextVersionPk, ["session_id"] = step.SessionId,
            }, ct);
        }
        await TellAsync(user.Id, step.SessionId, "workflow_step_execution_ended", step.ExecutionId, step.Id, step.StepId, ct);
    }

    /// <summary>What a user sees of steps for which nothing is tried any more.</summary>
    public Task FailAsync(int[] stepExecutions, string reason, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return db.Database.ExecuteSqlAsync($"""
            update assistants.workflow_step_executions
              set error_status = jsonb_build_object('datetime', {now}::timestamptz, 'message', {reason}::text)
            where id = any ({stepExecutions}) and result is null and error_status is null
            """, ct);
    }

    /// <summary>Marks the locked ones as failed, and has each step done once more. All that were locked, oldest first.</summary>
    public async Task<List<int>> RelaunchAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var locked = await db.Database.SqlQuery<Relaunched>($"""
            with locked as (
              select run.id, run.task_execution_id, run.workflow_step_id, run.parameter, e.session_id, e.user_id
              from assistants.workflow_step_executions run
              join assistants.task_executions e on e.id = run.task_execution_id and e.deleted_at is null
              where run.result is null and run.error_status is null and run.created_at < {now - Locked}
              order by run.created_at, run.id limit {MostRelaunched}
              for update of run skip locked
            ), failed as (
              update assistants.workflow_step_executions run
              set error_status = jsonb_build_object('datetime', {now}::timestamptz, 'message', 'It took too long, and was begun again')
              from locked where run.id = locked.id
            )
            select id, task_execution_id as execution_id, workflow_step_id as step_id, parameter::text as parameter, session_id, user_id
            from locked order by id
            """).ToListAsync(ct);
        var wanted = locked.Select(run => run.UserId).Distinct(StringComparer.Ordinal).ToList();
        var users = await db.Users.AsNoTracking().Where(user => wanted.Contains(user.Id))
            .ToDictionaryAsync(user => user.Id, StringComparer.Ordinal, ct);
        // Everybody's at once: two who relaunch tell users in the same order.
        foreach (var run in locked.OrderBy(run => run.UserId, StringComparer.Ordinal))
        {
            await AddAsync(users[run.UserId], run.ExecutionId, run.SessionId, run.StepId, run.Parameter, ct);
        }
        await transaction.CommitAsync(ct);
        return locked.ConvertAll(run => run.Id);
    }

    private async Task AddAsync(UserRow user, int executionId, string sessionId, int stepId, string parameter, CancellationToken ct)
    {
        var id = (await db.Database.SqlQuery<int>($"""
            insert into assistants.workflow_step_executions (task_execution_id, workflow_step_id, parameter, created_at)
            values ({executionId}, {stepId}, {parameter}::jsonb, {time.GetUtcNow()}) returning id as "Value"
            """).ToListAsync(ct))[0];
        db.Enqueue(new RunStep(id), new() { Owner = JobOwners.Of(user) });
        await db.SaveChangesAsync(ct);
        await TellAsync(user.Id, sessionId, "workflow_step_execution_started", executionId, id, stepId, ct);
    }

    private Task TellAsync(
        string userId, string sessionId, string name, int executionId, int stepExecutionId, int stepId, CancellationToken ct) =>
        LiveEvents.TellAsync(db, userId, sessionId, name, new JsonObject
        {
            ["user_task_execution_pk"] = executionId, ["step_execution_pk"] = stepExecutionId,
            ["workflow_step_pk"] = stepId, ["session_id"] = sessionId,
        }, ct);

    private sealed record Relaunched(int Id, int ExecutionId, int StepId, string Parameter, string SessionId, string UserId);
}

/// <param name="Parameter">JSON: what it is given.</param>
/// <param name="NextId">The step after it.</param>
internal sealed record StepSubject(
    int Id, int ExecutionId, string SessionId, int StepId, string Parameter, string Name, string Definition, int? NextId);
