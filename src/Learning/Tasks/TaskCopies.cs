using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Courses;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Tasks;

/// <summary>Copies of single tasks: drafts, right behind the original.</summary>
internal sealed class TaskCopies(LearningDb db, CourseStore courses)
{
    /// <returns>The copy's id, and its place among the module's tasks.</returns>
    /// <exception cref="Failure">400: the task is not in this module of the course.</exception>
    public async Task<(int Id, int Ordering)> CopyAsync(int taskId, int courseId, int milestoneId, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await courses.LockAsync(courseId, ct);
        var link = await db.CourseTasks.FirstOrDefaultAsync(
            row => row.TaskId == taskId && row.CourseId == courseId && row.MilestoneId == milestoneId, ct)
            ?? throw Refusal.BadRequest("Task not found in this milestone of the course");
        var task = await db.Tasks.AsNoTracking().FirstOrDefaultAsync(row => row.Id == taskId, ct) ?? throw Failure.NotFound("Task");
        var copy = await CopyContentAsync(task, task.OrgId, ct);
        await db.CourseTasks.Where(row => row.CourseId == courseId && row.MilestoneId == milestoneId && row.Ordering > link.Ordering)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.Ordering, row => row.Ordering + 1), ct);
        db.Add(new CourseTask { TaskId = copy.Id, CourseId = courseId, MilestoneId = milestoneId, Ordering = link.Ordering + 1 });
        await db.SaveChangesAsync(ct);
        var place = await (
            from other in db.CourseTasks
            where other.CourseId == courseId && other.MilestoneId == milestoneId && other.Ordering <= link.Ordering
            join live in db.Tasks on other.TaskId equals live.Id
            select live.Id).CountAsync(ct);
        await transaction.CommitAsync(ct);
        return (copy.Id, place);
    }

    /// <summary>The same task as a draft, with questions of its own that are judged by the same scorecards.</summary>
    public async Task<TaskRow> CopyContentAsync(TaskRow task, int orgId, CancellationToken ct)
    {
        var copy = new TaskRow { OrgId = orgId, Type = task.Type, Title = task.Title, Blocks = task.Blocks, Status = PublishState.Draft };
        db.Add(copy);
        await db.SaveChangesAsync(ct);
        await db.Database.ExecuteSqlAsync($"""
            with originals as (
              select q.*, row_number() over (order by q.position, q.id) as place from learning.questions q
              where q.task_id = {task.Id} and q.deleted_at is null
            ), copies as (
              insert into learning.questions (task_id, type, blocks, answer, input_type, coding_language, generation_model,
                response_type, position,
                max_attempts, is_feedback_shown, context, title, settings)
              select {copy.Id}, type, blocks, answer, input_type, coding_language, generation_model, response_type, place - 1,
                max_attempts, is_feedback_shown, context, title, settings
              from originals order by place
              returning id, position
            )
            insert into learning.question_scorecards (question_id, scorecard_id)
            select c.id, link.scorecard_id from copies c join originals o on o.place = c.position + 1
            join learning.question_scorecards link on link.question_id = o.id and link.deleted_at is null
            """, ct);
        await db.Database.ExecuteSqlAsync($"""
            insert into learning.assignments (task_id, blocks, input_type, response_type, context, evaluation_criteria,
              max_attempts, settings)
            select {copy.Id}, blocks, input_type, response_type, context, evaluation_criteria, max_attempts, settings
            from learning.assignments where task_id = {task.Id} and deleted_at is null
            """, ct);
        return copy;
    }
}
