using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Tasks;

namespace Stoa.Learning.Progress;

internal sealed record QuestionCompletion(int QuestionId, bool IsComplete);

/// <param name="Questions">Of quizzes only.</param>
internal sealed record TaskCompletion(
    bool IsComplete, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<QuestionCompletion>? Questions);

internal sealed record MilestoneMetrics(
    int MilestoneId, string MilestoneName, string? MilestoneColor, int TotalTasks, int CompletedTasks);

/// <summary>What learners are done with, read from the completions themselves.</summary>
internal sealed class Completions(LearningDb db, Standings standings, TimeProvider time)
{
    /// <summary>Once is enough: again changes nothing, and what was taken back counts again.</summary>
    public async Task CompleteTaskAsync(int userId, int taskId, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var changed = await db.Database.ExecuteSqlAsync($"""
            insert into learning.task_completions as c (user_id, task_id, created_at) values ({userId}, {taskId}, {time.GetUtcNow()})
            on conflict (user_id, task_id) do update set deleted_at = null, created_at = excluded.created_at where c.deleted_at is not null
            """, ct);
        if (changed > 0)
        {
            await standings.TouchAsync(userId, taskId, hasCompleted: true, ct);
        }
        await transaction.CommitAsync(ct);
    }

    /// <summary>Of all tasks that the cohort's learners see.</summary>
    public async Task<Dictionary<int, TaskCompletion>> OfCohortAsync(int cohortId, int userId, CancellationToken ct)
    {
        var rows = await db.Database.SqlQuery<CompletionRowOfTask>($"""
            with tasks as (
              select distinct t.id, t.type
              from learning.course_cohorts cc
              join learning.courses c on c.id = cc.course_id and c.deleted_at is null
              join learning.course_tasks ct on ct.course_id = cc.course_id and ct.deleted_at is null and ct.milestone_id is not null
              join learning.tasks t on t.id = ct.task_id and t.deleted_at is null and t.status = 'published'
                and coalesce(t.scheduled_publish_at <= {time.GetUtcNow()}, true)
              where cc.cohort_id = {cohortId} and cc.deleted_at is null
            )
            select t.id as task_id, t.type, q.id as question_id, d.id is not null as is_complete
            from tasks t
            left join learning.questions q on t.type = 'quiz' and q.task_id = t.id and q.deleted_at is null
            left join learning.task_completions d on d.user_id = {userId} and d.deleted_at is null
              and (d.question_id = q.id or (t.type <> 'quiz' and d.task_id = t.id))
            order by t.id, q.position, q.id
            """).ToListAsync(ct);
        return rows.GroupBy(row => row.TaskId).ToDictionary(task => task.Key, task => task.First().Type == TaskType.Quiz
            ? OfQuiz([.. task.Where(row => row.QuestionId is not null)
                .Select(row => new QuestionCompletion(row.QuestionId!.Value, row.IsComplete))])
            : new TaskCompletion(task.First().IsComplete, null));
    }

    /// <summary>The tasks that the user has completed since the window began, by the cohort's clock.</summary>
    public async Task<int[]> CompletedAsync(int cohortId, int userId, TimeWindow window, CancellationToken ct)
    {
        var clock = await standings.ClockAsync(cohortId, ct);
        var since = window.StartOf(clock.Today) is { } first ? clock.StartOf(first) : DateTimeOffset.UnixEpoch;
        return await db.Database.SqlQuery<int>($"""
            with tasks as (
              select distinct t.id, t.type,
                (select count(*) from learning.questions q where q.task_id = t.id and q.deleted_at is null) as questions
              from learning.course_cohorts cc
              join learning.courses c on c.id = cc.course_id and c.deleted_at is null
              join learning.course_tasks ct on ct.course_id = cc.course_id and ct.deleted_at is null and ct.milestone_id is not null
              join learning.tasks t on t.id = ct.task_id and t.deleted_at is null and t.status = 'published'
                and coalesce(t.scheduled_publish_at <= {time.GetUtcNow()}, true)
              where cc.cohort_id = {cohortId} and cc.deleted_at is null
            )
            select t.id as "Value" from tasks t join learning.task_completions d on d.task_id = t.id
            where t.type <> 'quiz' and d.user_id = {userId} and d.deleted_at is null and d.created_at >= {since}
            union all
            select t.id from tasks t
            join learning.questions q on q.task_id = t.id and q.deleted_at is null
            join learning.task_completions d on d.question_id = q.id
            where t.type = 'quiz' and d.user_id = {userId} and d.deleted_at is null
            group by t.id, t.questions having count(*) = t.questions and max(d.created_at) >= {since}
            order by 1
            """).ToArrayAsync(ct);
    }

    /// <summary>Of each module of the course that shows learners something, in its order.</summary>
    public Task<List<MilestoneMetrics>> OfCourseAsync(int courseId, int userId, CancellationToken ct) =>
        db.Database.SqlQuery<MilestoneMetrics>($"""
        select m.id as milestone_id, m.name as milestone_name, m.color as milestone_color, count(*)::integer as total_tasks,
          count(*) filter (where case when t.type = 'quiz' then
              exists (select from learning.questions q where q.task_id = t.id and q.deleted_at is null)
              and not exists (select from learning.questions q where q.task_id = t.id and q.deleted_at is null and not exists (
                select from learning.task_completions d where d.question_id = q.id and d.user_id = {userId} and d.deleted_at is null))
            else exists (select from learning.task_completions d where d.task_id = t.id and d.user_id = {userId} and d.deleted_at is null)
            end)::integer as completed_tasks
        from learning.course_milestones cm
        join learning.milestones m on m.id = cm.milestone_id and m.deleted_at is null
        join learning.course_tasks ct on ct.course_id = cm.course_id and ct.milestone_id = m.id and ct.deleted_at is null
        join learning.tasks t on t.id = ct.task_id and t.deleted_at is null and t.status = 'published'
          and coalesce(t.scheduled_publish_at <= {time.GetUtcNow()}, true)
        where cm.course_id = {courseId} and cm.deleted_at is null
        group by m.id, cm.ordering, cm.id order by cm.ordering, cm.id
        """).ToListAsync(ct);

    private static TaskCompletion OfQuiz(IReadOnlyList<QuestionCompletion> questions) =>
        new(questions.Count > 0 && questions.All(question => question.IsComplete), questions);

    private sealed record CompletionRowOfTask(int TaskId, TaskType Type, int? QuestionId, bool IsComplete);
}
