using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Sessions;
using Stoa.Assistants.Users;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Executions;

/// <summary>
/// Makes executions: a session of its own, the form in the user's language, and a purchase that gives access to the task.
/// </summary>
internal sealed class NewExecutions(AssistantsDb db, SessionStore sessions, TimeProvider time)
{
    public const string NoPurchase = "no_purchase";

    public async Task<(ExecutionRow Execution, JsonElement Form)> CreateAsync(
        UserRow user, ExecutionsApi.NewExecution terms, CancellationToken ct)
    {
        var task = (await db.Database.SqlQuery<Form>($"""
            select t.id as task_id, coalesce(own.json_input, en.json_input, '[]')::text as inputs
            from assistants.user_tasks ut
            join assistants.tasks t on t.id = ut.task_id
            left join assistants.task_texts own on own.task_id = t.id and own.language_code = left({user.LanguageCode}, 2)
            left join assistants.task_texts en on en.task_id = t.id and en.language_code = 'en'
            where ut.id = {terms.UserTaskId} and ut.user_id = {user.Id} and ut.is_enabled
            """).ToListAsync(ct)).SingleOrDefault() ?? throw Unknown("user_task_pk", terms.UserTaskId);
        if (terms.ParentId is { } parent
            && !await db.TaskExecutions.AnyAsync(row => row.Id == parent && row.UserId == user.Id && row.DeletedAt == null, ct))
        {
            throw Unknown("user_task_execution_fk", parent);
        }
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var purchase = await PurchaseAsync(user.Id, task.TaskId, ct)
            ?? throw new Failure(FailureKind.Quota, NoPurchase, NoPurchase);
        var session = sessions.Add(user, terms.Platform, SessionMode.Form);
        var execution = new ExecutionRow
        {
            UserTaskId = terms.UserTaskId, UserId = user.Id, SessionId = session.Id, ParentId = terms.ParentId, PurchaseId = purchase,
            JsonInputValues = ExecutionInputs.Empty(task.Inputs), CreatedAt = time.GetUtcNow(),
        };
        db.Add(execution);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return (execution, JsonElement.Parse(execution.JsonInputValues));
    }

    /// <summary>
    /// One of his that covers the task, what is counted before what costs nothing. They are locked first and counted then: of two who begin
    /// at once only one takes the last execution that a purchase pays for.
    /// </summary>
    private async Task<int?> PurchaseAsync(string userId, int taskId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await db.Database.ExecuteSqlAsync(
            $"select id from assistants.purchases where user_id = {userId} and is_active order by id for update", ct);
        var found = await db.Database.SqlQuery<int>($"""
            select p.id as "Value"
            from assistants.purchases p
            join assistants.products product on product.id = p.product_id
            join assistants.product_tasks covered on covered.product_id = product.id and covered.task_id = {taskId}
            where p.user_id = {userId} and p.is_active
              and (product.days_valid is null or p.created_at > {now} - product.days_valid * interval '1 day')
              and (product.tasks_limit is null
                or product.tasks_limit > (select count(*) from assistants.task_executions e where e.purchase_id = p.id))
            order by product.is_free, p.id limit 1
            """).ToListAsync(ct);
        return found is [var id] ? id : null;
    }

    private static Failure Unknown(string name, int id) =>
        Failure.Invalid(string.Create(CultureInfo.InvariantCulture, $"Invalid {name}: {id}"), name);

    private sealed record Form(int TaskId, string Inputs);
}
