using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;

namespace Stoa.Learning.Progress;

/// <summary>
/// Which of some tasks each learner of a cohort has completed or attempted: <c>{user_id, email, num_…, "task_12": 1}</c>. What he does in
/// another school is not this one's to know.
/// </summary>
internal sealed class TaskGrid(LearningDb db)
{
    /// <summary>A quiz is complete with its last live question.</summary>
    public async Task<List<JsonObject>> CompletedAsync(int cohortId, int? batchId, int[] taskIds, CancellationToken ct) => Rows(
        "num_completed", taskIds, await LearnersAsync(cohortId, batchId, ct), await db.Database.SqlQuery<Mark>($"""
            select d.user_id, d.task_id from learning.task_completions d
            join learning.tasks t on t.id = d.task_id and t.type <> 'quiz' and t.deleted_at is null
            join learning.user_cohorts uc on uc.user_id = d.user_id and uc.cohort_id = {cohortId} and uc.deleted_at is null
            where d.task_id = any ({taskIds}) and d.deleted_at is null
              and t.org_id = (select org_id from learning.cohorts where id = {cohortId})
            union all
            select d.user_id, q.task_id from learning.questions q
            join learning.task_completions d on d.question_id = q.id and d.deleted_at is null
            join learning.user_cohorts uc on uc.user_id = d.user_id and uc.cohort_id = {cohortId} and uc.deleted_at is null
            join learning.tasks t on t.id = q.task_id and t.org_id = (select org_id from learning.cohorts where id = {cohortId})
            where q.task_id = any ({taskIds}) and q.deleted_at is null
            group by d.user_id, q.task_id
            having count(*) = (select count(*) from learning.questions live where live.task_id = q.task_id and live.deleted_at is null)
            """).ToListAsync(ct));

    /// <summary>A message or a completion is an attempt.</summary>
    public async Task<List<JsonObject>> AttemptedAsync(int cohortId, int? batchId, int[] taskIds, CancellationToken ct) => Rows(
        "num_attempted", taskIds, await LearnersAsync(cohortId, batchId, ct), await db.Database.SqlQuery<Mark>($"""
            select acts.user_id, acts.task_id from (
              select user_id, task_id from learning.task_completions where task_id = any ({taskIds}) and deleted_at is null
              union
              select user_id, task_id from learning.chat_history where task_id = any ({taskIds}) and deleted_at is null
              union
              select d.user_id, q.task_id from learning.questions q
              join learning.task_completions d on d.question_id = q.id and d.deleted_at is null
              where q.task_id = any ({taskIds}) and q.deleted_at is null
              union
              select h.user_id, q.task_id from learning.questions q
              join learning.chat_history h on h.question_id = q.id and h.deleted_at is null
              where q.task_id = any ({taskIds}) and q.deleted_at is null) acts
            join learning.user_cohorts uc on uc.user_id = acts.user_id and uc.cohort_id = {cohortId} and uc.deleted_at is null
            join learning.tasks t on t.id = acts.task_id and t.org_id = (select org_id from learning.cohorts where id = {cohortId})
            """).ToListAsync(ct));

    private Task<List<Learner>> LearnersAsync(int cohortId, int? batchId, CancellationToken ct) => db.Database.SqlQuery<Learner>($"""
        select u.id, u.email from learning.user_cohorts uc join learning.users u on u.id = uc.user_id and u.deleted_at is null
        where uc.cohort_id = {cohortId} and uc.role = 'learner' and uc.deleted_at is null and ({batchId ?? 0} = 0 or exists (
          select from learning.user_batches b where b.batch_id = {batchId ?? 0} and b.user_id = u.id and b.deleted_at is null))
        order by u.id
        """).ToListAsync(ct);

    private static List<JsonObject> Rows(string total, int[] taskIds, List<Learner> learners, List<Mark> marks)
    {
        var marked = marks.ToLookup(mark => mark.UserId, mark => mark.TaskId);
        var wanted = taskIds.Distinct().ToList();
        return learners.ConvertAll(learner =>
        {
            var own = marked[learner.Id].ToHashSet();
            var row = new JsonObject { ["user_id"] = learner.Id, ["email"] = learner.Email, [total] = own.Count };
            foreach (var task in wanted)
            {
                row[string.Create(CultureInfo.InvariantCulture, $"task_{task}")] = own.Contains(task) ? 1 : 0;
            }
            return row;
        });
    }

    private sealed record Learner(int Id, string Email);

    private sealed record Mark(int UserId, int TaskId);
}
