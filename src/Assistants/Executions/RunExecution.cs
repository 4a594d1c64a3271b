using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Messages;
using Stoa.Assistants.Tasks;
using Stoa.Assistants.Titles;
using Stoa.Assistants.Users;
using Stoa.Assistants.Workflows;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Executions;

/// <summary>Starts an execution from its form: the assistant answers, or the workflow takes its first step, in the background.</summary>
internal sealed class RunExecution(AssistantsDb db, WorkflowStore workflows, InputImages images, TimeProvider time)
{
    /// <summary>Of one that has begun nothing changes, but that an answer which failed is tried again. False: it is not there.</summary>
    /// <exception cref="Failure">The form has no input that a picture is called by.</exception>
    public async Task<bool> RunAsync(
        UserRow user, int id, IReadOnlyDictionary<string, JsonElement> inputs, IReadOnlyList<InputImage> pictures, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var execution = await db.TaskExecutions.FromSql($"""
            select * from assistants.task_executions where id = {id} and user_id = {user.Id} and deleted_at is null for update
            """).SingleOrDefaultAsync(ct);
        if (execution is null)
        {
            return false;
        }
        if (execution.StartedAt is null)
        {
            execution.StartedAt = time.GetUtcNow();
            execution.JsonInputValues = ExecutionInputs.Filled(execution.JsonInputValues, inputs);
            var names = ExecutionInputs.Names(execution.JsonInputValues);
            if (pictures.FirstOrDefault(picture => !names.Contains(picture.InputName)) is { } stray)
            {
                throw Failure.Invalid($"The form has no input '{stray.InputName}'", "inputs");
            }
            await images.AddAsync(execution.Id, pictures, ct);
            await StartAsync(user, execution, ct);
        }
        else if (await db.Messages.Where(message => message.SessionId == execution.SessionId && message.Sender == MessageSender.Mojo
            && message.InErrorAt != null).ExecuteDeleteAsync(ct) > 0)
        {
            AnswerMessages.Enqueue(db, user, execution.SessionId);
        }
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    private async Task StartAsync(UserRow user, ExecutionRow execution, CancellationToken ct)
    {
        if (execution.Title is null)
        {
            db.Enqueue(
                new SummarizeExecution(execution.Id),
                SummarizeExecution.Once(execution.Id, JobOwners.Of(user)));
        }
        var isWorkflow = await db.Tasks.AnyAsync(task => task.Type == TaskType.Workflow
            && db.UserTasks.Any(own => own.Id == execution.UserTaskId && own.TaskId == task.Id), ct);
        if (isWorkflow)
        {
            await workflows.BeginAsync(user, execution, ct);
        }
        else
        {
            AnswerMessages.Enqueue(db, user, execution.SessionId);
        }
    }
}
