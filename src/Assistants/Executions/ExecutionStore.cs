using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Live;

namespace Stoa.Assistants.Executions;

internal sealed class ExecutionStore(AssistantsDb db, TimeProvider time)
{
    /// <summary>Whoever marks it again changes nothing.</summary>
    public async Task<bool> EndAsync(int id, CancellationToken ct) => await db.TaskExecutions
        .Where(execution => execution.Id == id && execution.DeletedAt == null)
        .ExecuteUpdateAsync(
            set => set.SetProperty(execution => execution.EndedAt, execution => execution.EndedAt ?? time.GetUtcNow()), ct) > 0;

    public async Task<bool> DeleteAsync(string userId, int id, CancellationToken ct) => await db.TaskExecutions
        .Where(execution => execution.Id == id && execution.UserId == userId && execution.DeletedAt == null)
        .ExecuteUpdateAsync(set => set.SetProperty(execution => execution.DeletedAt, time.GetUtcNow()), ct) > 0;

    /// <summary>The title that a user gives, which the assistant does not take away again.</summary>
    public async Task<bool> RenameAsync(string userId, int id, string title, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var session = (await db.Database.SqlQuery<string>($"""
            update assistants.task_executions set title = {title}, summarized_message_id = {int.MaxValue}
            where id = {id} and user_id = {userId} and deleted_at is null
            returning session_id as "Value"
            """).ToListAsync(ct)).SingleOrDefault();
        if (session is null)
        {
            return false;
        }
        await LiveEvents.TellAsync(
            db, userId, session, "user_task_execution_title", new JsonObject { ["title"] = title, ["session_id"] = session }, ct);
        await transaction.CommitAsync(ct);
        return true;
    }
}
