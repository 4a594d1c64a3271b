using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Evaluations;
using Stoa.Learning.Progress;
using Stoa.Learning.Tasks;
using Stoa.Learning.Tutor;
using Stoa.Learning.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Learning.Chat;

/// <summary>What a conversation is about.</summary>
/// <param name="QuestionId">Null for a task as a whole.</param>
internal sealed record ChatTopic(int TaskId, int? QuestionId, ResponseType? ResponseType, int? MaxAttempts);

internal sealed class ChatStore(LearningDb db, EvaluationLog evaluations, Standings standings, TimeProvider time)
{
    private const int MaxOfTask = 2_000;
    private const int MaxPageBytes = 16 << 20;

    /// <exception cref="Failure">404: there is no such question, or not of this task.</exception>
    public async Task<ChatTopic> AboutAsync(int? questionId, int? taskId, CancellationToken ct)
    {
        if (questionId is not { } id)
        {
            return new(taskId!.Value, QuestionId: null, ResponseType: null, MaxAttempts: null);
        }
        var found = await db.Questions.Where(question => question.Id == id)
            .Select(question => new { question.TaskId, question.ResponseType, question.MaxAttempts }).FirstOrDefaultAsync(ct);
        return found is not null && (taskId is null || taskId == found.TaskId)
            ? new(found.TaskId, id, found.ResponseType, found.MaxAttempts)
            : throw Failure.NotFound("Question");
    }

    public async Task<List<ChatMessage>> AddAsync(ChatTopic about, ChatApi.NewMessages messages, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (about is { ResponseType: ResponseType.Exam, MaxAttempts: not null })
        {
            await RequireAttemptsAsync(about, messages, ct);
        }
        var now = time.GetUtcNow();
        // The row knows what it is about by one of the two, as the original's do.
        var rows = messages.Messages.ConvertAll(message => new ChatMessageRow
        {
            UserId = messages.UserId,
            QuestionId = about.QuestionId,
            TaskId = about.QuestionId is null ? about.TaskId : null,
            Role = message.Role,
            Content = message.Content,
            ResponseType = message.ResponseType,
            CreatedAt = now,
            // Nobody has said anything tomorrow.
            SaidAt = message.CreatedAt > now ? now : message.CreatedAt.ToUniversalTime(),
        });
        db.AddRange(rows);
        await db.SaveChangesAsync(ct);
        if (messages.IsComplete)
        {
            await CompleteAsync(about, messages.UserId, ct);
        }
        await standings.TouchAsync(messages.UserId, about.TaskId, messages.IsComplete, ct);
        await transaction.CommitAsync(ct);
        return rows.ConvertAll(row => Shown(row, about.TaskId));
    }

    public async Task<List<ChatMessage>> OfTaskAsync(int userId, int taskId, CancellationToken ct)
    {
        var type = await db.Tasks.Where(task => task.Id == taskId).Select(task => (TaskType?)task.Type).FirstOrDefaultAsync(ct);
        var found = type switch
        {
            TaskType.Quiz => db.ChatMessages.Where(message => message.UserId == userId
                && db.Questions.Any(question => question.Id == message.QuestionId && question.TaskId == taskId)),
            TaskType.Assignment => db.ChatMessages.Where(message => message.UserId == userId && message.TaskId == taskId),
            TaskType.LearningMaterial => throw Refusal.BadRequest("Task is not a quiz or assignment"),
            null => throw Failure.NotFound("Task"),
        };
        // The latest of them, oldest first.
        var rows = await found.AsNoTracking().OrderByDescending(message => message.CreatedAt).ThenByDescending(message => message.Id)
            .Take(MaxOfTask).ToListAsync(ct);
        rows.Reverse();
        return rows.ConvertAll(row => Shown(row, taskId));
    }

    /// <summary>
    /// A page of them, in the order in which they came, behind the message <paramref name="after"/>. It ends before it is as large as to be
    /// a burden to anybody.
    /// </summary>
    /// <returns>And whether there is more.</returns>
    public async Task<(List<ChatMessage> Page, bool HasMore)> OfOrganizationAsync(int orgId, int? after, int limit, CancellationToken ct)
    {
        var last = after is { } id
            ? await db.ChatMessages.IgnoreQueryFilters().Where(message => message.Id == id)
            .Select(message => (DateTimeOffset?)message.CreatedAt)
                .FirstOrDefaultAsync(ct) ?? throw Failure.NotFound("Message")
            : DateTimeOffset.MinValue;
        var rows = await db.Database.SqlQuery<OrganizationMessage>($"""
            select * from (
              select found.*, count(*) over () as found_count, coalesce(sum(octet_length(found.content)) over (
                order by found.created_at, found.id rows between unbounded preceding and 1 preceding), 0) as bytes_before
              from (
                select m.id, m.user_id, m.question_id, m.role, m.content, m.response_type, m.created_at, m.said_at, q.task_id
                from learning.chat_history m
                join learning.questions q on q.id = m.question_id and q.deleted_at is null
                join learning.tasks t on t.id = q.task_id and t.deleted_at is null
                where t.org_id = {orgId} and m.deleted_at is null and (m.created_at, m.id) > ({last}, {after ?? 0})
                order by m.created_at, m.id limit {limit + 1}) found) page
            where bytes_before < {MaxPageBytes} order by created_at, id limit {limit}
            """).ToListAsync(ct);
        var page = rows.ConvertAll(row => new ChatMessage(
            row.Id, row.SaidAt ?? row.CreatedAt, row.UserId, row.QuestionId, row.TaskId, row.Role, row.Content, row.ResponseType));
        return (page, rows.Count > 0 && rows.Count < rows[0].FoundCount);
    }

    public Task RemoveAllAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return db.ChatMessages.ExecuteUpdateAsync(set => set.SetProperty(message => message.DeletedAt, now), ct);
    }

    // One after the other: two that come at once would both see room for one.
    private async Task RequireAttemptsAsync(ChatTopic about, ChatApi.NewMessages messages, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock({messages.UserId}, {about.QuestionId!.Value})", ct);
        var made = await db.ChatMessages.CountAsync(
            message => message.UserId == messages.UserId && message.QuestionId == about.QuestionId && message.Role == ChatRole.User, ct);
        if (messages.Messages.Count(message => message.Role == ChatRole.User) is > 0 and var attempts)
        {
            ExamRule.Require(about.ResponseType!.Value, about.MaxAttempts, made + attempts);
        }
    }

    /// <summary>
    /// The client's word counts, as its pages rely on it; where our own evaluation was another one, the organization can see that. An exam
    /// is done when it is answered, however well.
    /// </summary>
    private async Task CompleteAsync(ChatTopic about, int userId, CancellationToken ct)
    {
        var passed = await evaluations.LatestAsync(userId, about.TaskId, about.QuestionId, ct);
        var source = EnumNames<CompletionSource>.Write(passed == true ? CompletionSource.Evaluation : CompletionSource.Client);
        var isDisputed = passed == false && about.ResponseType != ResponseType.Exam;
        int? task = about.QuestionId is null ? about.TaskId : null;
        var now = time.GetUtcNow();
        // What is there stays as it is; what was taken back is there again.
        await db.Database.ExecuteSqlAsync($"""
            insert into learning.task_completions as done (user_id, task_id, question_id, source, is_disputed, created_at, updated_at)
            values ({userId}, {task}, {about.QuestionId}, {source}, {isDisputed}, {now}, {now})
            on conflict do nothing
            """, ct);
        await db.Database.ExecuteSqlAsync($"""
            update learning.task_completions
            set deleted_at = null, source = {source}, is_disputed = {isDisputed}, created_at = {now}, updated_at = {now}
            where user_id = {userId} and (question_id = {about.QuestionId} or task_id = {task}) and deleted_at is not null
            """, ct);
    }

    private static ChatMessage Shown(ChatMessageRow row, int taskId) =>
        new(row.Id, row.SaidAt ?? row.CreatedAt, row.UserId, row.QuestionId, taskId, row.Role, row.Content, row.ResponseType);

    private sealed record OrganizationMessage(
        int Id, int UserId, int? QuestionId, int TaskId, ChatRole Role,
        string? Content, ChatResponseType? ResponseType, DateTimeOffset CreatedAt,
        DateTimeOffset? SaidAt, long FoundCount);
}
