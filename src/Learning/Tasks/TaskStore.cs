using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Courses;
using Stoa.Learning.Progress;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Tasks;

/// <summary>Tasks of all kinds; what is in a quiz is the <see cref="QuizStore"/>'s.</summary>
internal sealed class TaskStore(LearningDb db, CourseStore courses, Standings standings, Blocks blocks, TimeProvider time)
{
    /// <summary>Null where there is no such task.</summary>
    public async Task<TaskView?> FindAsync(int id, CancellationToken ct)
    {
        var task = await db.Tasks.AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, ct);
        if (task is null)
        {
            return null;
        }
        return task.Type switch
        {
            TaskType.LearningMaterial => new LearningMaterialTask(
                id, task.Title, task.Type, task.Status, task.ScheduledPublishAt, Blocks.Read(task.Blocks)),
            TaskType.Quiz => new QuizTask(
                id, task.Title, task.Type, task.Status, task.ScheduledPublishAt, await QuestionsAsync(id, ct)),
            TaskType.Assignment => new AssignmentTask(
                id, task.Title, task.Type, task.Status, task.ScheduledPublishAt,
                await db.Assignments.AsNoTracking().FirstOrDefaultAsync(row => row.TaskId == id, ct) is { } saved
                    ? AssignmentView.Of(saved)
                    : AssignmentView.Empty),
        };
    }

    public Task<List<TaskSummary>> MaterialsAsync(int courseId, CancellationToken ct) =>
        (from link in db.CourseTasks
         where link.CourseId == courseId
         join task in db.Tasks on link.TaskId equals task.Id
         where task.Type == TaskType.LearningMaterial && task.Status == PublishState.Published
         orderby link.Ordering, link.Id
         select new TaskSummary(task.Id, task.Title, task.Type, task.Status, task.ScheduledPublishAt)).ToListAsync(ct);

    /// <summary>A draft at the end of a module.</summary>
    /// <exception cref="Failure">400: the course has no such module.</exception>
    public async Task<int> CreateAsync(int courseId, int milestoneId, TaskType type, string title, CancellationToken ct)
    {
        await using var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(ct) : null;
        await courses.LockAsync(courseId, ct);
        var orgId = await (
            from link in db.CourseMilestones
            where link.CourseId == courseId && link.MilestoneId == milestoneId
            join course in db.Courses on link.CourseId equals course.Id
            select (int?)course.OrgId).FirstOrDefaultAsync(ct) ?? throw Refusal.BadRequest("The course has no such milestone");
        var task = new TaskRow { OrgId = orgId, Type = type, Title = title, Status = PublishState.Draft };
        db.Add(task);
        await db.SaveChangesAsync(ct);
        // Deleted ones count: what is revived later has its place still.
        await db.Database.ExecuteSqlAsync($"""
            insert into learning.course_tasks (task_id, course_id, milestone_id, ordering)
            select {task.Id}, {courseId}, {milestoneId}, coalesce(max(ordering) + 1, 0) from learning.course_tasks
            where course_id = {courseId} and milestone_id = {milestoneId}
            """, ct);
        if (transaction is not null)
        {
            await transaction.CommitAsync(ct);
        }
        return task.Id;
    }

    /// <exception cref="Failure">404: there is no such task, or it is of another kind.</exception>
    public async Task SaveMaterialAsync(
        int id, string title, JsonArray content, PublishState status, DateTimeOffset? scheduled, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var task = await RequireAsync(id, TaskType.LearningMaterial, ct);
        var before = (task.Status, task.ScheduledPublishAt);
        (task.Title, task.Status, task.ScheduledPublishAt) = (title, status, scheduled);
        task.Blocks = blocks.Normalize(content, "blocks").ToJsonString();
        await db.SaveChangesAsync(ct);
        if (before != (task.Status, task.ScheduledPublishAt))
        {
            await standings.MarkStaleByTasksAsync([id], ct);
        }
        await transaction.CommitAsync(ct);
    }

    /// <param name="isNew">Whether the task must have none yet, or must have one.</param>
    /// <exception cref="Failure">404, 400: the scorecard is another organization's.</exception>
    public async Task SaveAssignmentAsync(int id, AssignmentRequest wanted, bool isNew, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Two who save it for the first time go one after the other.
        await db.Database.ExecuteSqlAsync($"select from learning.tasks where id = {id} for no key update", ct);
        var task = await db.Tasks.FirstOrDefaultAsync(row => row.Id == id && row.Type == TaskType.Assignment, ct);
        // One that was taken away leaves its row.
        var saved = await db.Assignments.IgnoreQueryFilters().FirstOrDefaultAsync(row => row.TaskId == id, ct);
        if (task is null || isNew != saved is not { DeletedAt: null })
        {
            throw new Failure(FailureKind.NotFound, "not_found",
                isNew ? "Task not found or assignment already exists" : "Task not found or assignment does not exist");
        }
        var content = wanted.Assignment;
        if (content.EvaluationCriteria?.ScorecardId is { } scorecard
            && !await db.Scorecards.AnyAsync(row => row.Id == scorecard && row.OrgId == task.OrgId, ct))
        {
            throw Refusal.BadRequest("Scorecard does not belong to the organization");
        }
        var before = (task.Status, task.ScheduledPublishAt);
        (task.Title, task.ScheduledPublishAt) = (wanted.Title, wanted.ScheduledPublishAt);
        task.Status = wanted.Status ?? (isNew ? PublishState.Published : task.Status);
        if (saved is null)
        {
            saved = new AssignmentRow { TaskId = id, Blocks = "[]", InputType = InputType.Text };
            db.Add(saved);
        }
        saved.DeletedAt = null;
        saved.Blocks = blocks.Normalize(content.Blocks, "assignment", "blocks").ToJsonString();
        saved.Context = blocks.NormalizeContext(content.Context, "assignment", "context")?.ToJsonString();
        saved.EvaluationCriteria = content.EvaluationCriteria is { } criteria
            ? JsonSerializer.Serialize(criteria, LearningJson.Default.EvaluationCriteria)
            : null;
        (saved.InputType, saved.ResponseType) = (content.InputType ?? InputType.Text, content.ResponseType);
        (saved.MaxAttempts, saved.Settings) = (content.MaxAttempts, content.Settings?.ToJsonString());
        await db.SaveChangesAsync(ct);
        if (before != (task.Status, task.ScheduledPublishAt))
        {
            await standings.MarkStaleByTasksAsync([id], ct);
        }
        await transaction.CommitAsync(ct);
    }

    /// <summary>With their places in courses. What is gone already stays so.</summary>
    public async Task DeleteAsync(IReadOnlyCollection<int> ids, CancellationToken ct)
    {
        var (all, now) = (ids.ToArray(), time.GetUtcNow());
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await standings.MarkStaleByTasksAsync(all, ct);
        await db.Database.ExecuteSqlAsync($"""
            with links as (update learning.course_tasks set deleted_at = {now} where task_id = any ({all}) and deleted_at is null)
            update learning.tasks set deleted_at = {now} where id = any ({all}) and deleted_at is null
            """, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Whose live tasks these are; ids of nothing have no part in it.</summary>
    public Task<List<int>> OrganizationsOfAsync(int[] ids, CancellationToken ct) =>
        db.Tasks.Where(task => ids.Contains(task.Id)).Select(task => task.OrgId).Distinct().ToListAsync(ct);

    private async Task<TaskRow> RequireAsync(int id, TaskType type, CancellationToken ct) =>
        await db.Tasks.FirstOrDefaultAsync(row => row.Id == id && row.Type == type, ct) ?? throw Failure.NotFound("Task");

    private async Task<List<QuestionView>> QuestionsAsync(int taskId, CancellationToken ct)
    {
        var rows = await (
            from question in db.Questions.AsNoTracking()
            where question.TaskId == taskId
            orderby question.Position, question.Id
            select new
            {
                question,
                ScorecardId = db.QuestionScorecards.Where(link => link.QuestionId == question.Id)
                .Select(link => (int?)link.ScorecardId).FirstOrDefault(),
            }).ToListAsync(ct);
        return rows.ConvertAll(row => QuestionView.Of(row.question, row.ScorecardId));
    }
}
