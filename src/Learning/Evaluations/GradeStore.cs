using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Chat;
using Stoa.Learning.Progress;
using Stoa.Learning.Tutor;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Evaluations;

/// <summary>Changes grades in stored answers, and keeps what was there before.</summary>
internal sealed class GradeStore(LearningDb db, Standings standings, TimeProvider time)
{
    /// <summary>Null when there is no such answer of the tutor.</summary>
    public async Task<GradedMessage?> FindAsync(int messageId, CancellationToken ct) =>
        (await db.Database.SqlQuery<GradedMessage>($"""
            select m.id, m.user_id, t.id as task_id, m.question_id, t.org_id
            from learning.chat_history m
            left join learning.questions q on q.id = m.question_id
            join learning.tasks t on t.id = coalesce(q.task_id, m.task_id) and t.deleted_at is null
            where m.id = {messageId} and m.role = 'assistant' and m.deleted_at is null
            """).ToListAsync(ct)).FirstOrDefault();

    public Task<List<GradeEntry>> ListAsync(int messageId, CancellationToken ct) => db.Database.SqlQuery<GradeEntry>($"""
        select g.id, g.message_id, g.changed_by, u.email, g.reason, g.content_before as before, g.content_after as after, g.created_at
        from learning.grade_changes g join learning.users u on u.id = g.changed_by
        where g.message_id = {messageId} order by g.id
        """).ToListAsync(ct);

    /// <summary>The answer, its history and the learner's completion change together.</summary>
    /// <exception cref="Failure">400: the answer has no such grade.</exception>
    public async Task<ChatMessage> ChangeAsync(GradedMessage graded, GradesApi.GradeChange change, int by, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var row = await db.ChatMessages.FromSql($"select * from learning.chat_history where id = {graded.Id} for update")
            .AsNoTracking().FirstOrDefaultAsync(ct)
            ?? throw Failure.NotFound("Message");
        var grade = Grade.Read(row.Content) ?? throw Refusal.BadRequest("The message holds no grade");
        grade.Apply(change, await CriteriaAsync(graded, ct));
        var (now, after) = (time.GetUtcNow(), grade.ToText());
        await db.Database.ExecuteSqlAsync($"""
            insert into learning.grade_changes (message_id, changed_by, reason, content_before, content_after, created_at)
            values ({graded.Id}, {by}, {change.Reason.Trim()}, {row.Content}, {after}, {now})
            """, ct);
        await db.ChatMessages.Where(message => message.Id == graded.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(message => message.Content, after), ct);
        if (grade.IsPassed is { } passed)
        {
            await SetCompletionAsync(graded, passed, now, ct);
        }
        await standings.TouchAsync(graded.UserId, graded.TaskId, grade.IsPassed is not null, ct);
        await transaction.CommitAsync(ct);
        return new(row.Id, row.SaidAt ?? row.CreatedAt, row.UserId, row.QuestionId, graded.TaskId, row.Role, after, row.ResponseType);
    }

    private async Task<IReadOnlyList<Criterion>> CriteriaAsync(GradedMessage graded, CancellationToken ct)
    {
        var stored = graded.QuestionId is { } question
            ? await (from link in db.QuestionScorecards
                     join card in db.Scorecards on link.ScorecardId equals card.Id
                     where link.QuestionId == question
                     orderby link.Id descending
                     select card.Criteria).FirstOrDefaultAsync(ct)
            : (await db.Database.SqlQuery<string>($"""
                select s.criteria::text as "Value" from learning.assignments a
                join learning.scorecards s on s.id::text = a.evaluation_criteria ->> 'scorecard_id' and s.deleted_at is null
                where a.task_id = {graded.TaskId} and a.deleted_at is null
                """).ToListAsync(ct)).FirstOrDefault();
        return Criterion.Read(stored);
    }

    private Task SetCompletionAsync(GradedMessage graded, bool passed, DateTimeOffset now, CancellationToken ct)
    {
        int? task = graded.QuestionId is null ? graded.TaskId : null;
        return passed
            ? CompleteAsync()
            : db.Database.ExecuteSqlAsync($"""
                update learning.task_completions set deleted_at = {now}, source = 'override', is_disputed = false, updated_at = {now}
                where user_id = {graded.UserId} and (question_id = {graded.QuestionId} or task_id = {task}) and deleted_at is null
                """, ct);

        async Task CompleteAsync()
        {
            await db.Database.ExecuteSqlAsync($"""
                insert into learning.task_completions (user_id, task_id, question_id, source, created_at, updated_at)
                values ({graded.UserId}, {task}, {graded.QuestionId}, 'override', {now}, {now}) on conflict do nothing
                """, ct);
            await db.Database.ExecuteSqlAsync($"""
                update learning.task_completions
                set created_at = case when deleted_at is null then created_at else {now} end, deleted_at = null, source = 'override', is_disputed = false,
                  updated_at = {now}
                where user_id = {graded.UserId} and (question_id = {graded.QuestionId} or task_id = {task})
                """, ct);
        }
    }
}
