using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Notifications;
using Stoa.Learning.Progress;
using Stoa.Learning.Tasks;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Courses;

internal sealed record MilestoneView(int Id, string Name, string? Color);

internal sealed record CourseMilestoneView(int CourseMilestoneId, int Id, string Name, int Ordering);

/// <summary>A task in a course's list. What tasks do not have any more is null.</summary>
internal sealed record CourseTaskView(
    int Id, string Name, string Milestone, bool? Verified, InputType? InputType, ResponseType? ResponseType,
    IReadOnlyList<string> CodingLanguage, int Ordering, int CourseTaskId, int? MilestoneId, TaskType Type);

/// <summary>Courses, their modules, and the places of modules and tasks in them.</summary>
internal sealed class CourseStore(LearningDb db, Standings standings, SchoolNews news, TimeProvider time)
{
    public Task<List<IdName>> ListAsync(int orgId, Page page, CancellationToken ct) => db.Courses
        .Where(course => course.OrgId == orgId && (page.After == null || course.Id < page.After))
        .OrderByDescending(course => course.Id).Take(page.Size).Select(course => new IdName(course.Id, course.Name)).ToListAsync(ct);

    public async Task<int> CreateAsync(int orgId, string name, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var course = new CourseRow { OrgId = orgId, Name = name };
        db.Add(course);
        await db.SaveChangesAsync(ct);
        await news.TellAsync(db, [TellSlack.CourseCreated(course.Id)], ct);
        await transaction.CommitAsync(ct);
        return course.Id;
    }

    public Task RenameAsync(int id, string name, CancellationToken ct) =>
        db.Courses.Where(course => course.Id == id).ExecuteUpdateAsync(set => set.SetProperty(course => course.Name, name), ct);

    /// <summary>Its tasks stay, for other courses that have them.</summary>
    public async Task DeleteAsync(int id, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await standings.MarkStaleByCoursesAsync([id], ct);
        await db.Database.ExecuteSqlAsync($"""
            with cohorts as (update learning.course_cohorts set deleted_at = {now} where course_id = {id} and deleted_at is null),
              tasks as (update learning.course_tasks set deleted_at = {now} where course_id = {id} and deleted_at is null),
              milestones as (update learning.course_milestones set deleted_at = {now} where course_id = {id} and deleted_at is null),
              jobs as (update learning.course_generation_jobs set deleted_at = {now} where course_id = {id} and deleted_at is null),
              task_jobs as (update learning.task_generation_jobs set deleted_at = {now} where course_id = {id} and deleted_at is null)
            update learning.courses set deleted_at = {now} where id = {id}
            """, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>At the end of the course.</summary>
    public async Task<int> AddMilestoneAsync(int courseId, int orgId, string name, string? color, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await LockAsync(courseId, ct);
        var milestone = new MilestoneRow { OrgId = orgId, Name = name, Color = color };
        db.Add(milestone);
        await db.SaveChangesAsync(ct);
        await db.Database.ExecuteSqlAsync($"""
            insert into learning.course_milestones (course_id, milestone_id, ordering)
            select {courseId}, {milestone.Id}, coalesce(max(ordering) + 1, 0) from learning.course_milestones
            where course_id = {courseId} and deleted_at is null
            """, ct);
        await transaction.CommitAsync(ct);
        return milestone.Id;
    }

    public Task<List<MilestoneView>> MilestonesAsync(int orgId, Page page, CancellationToken ct) => db.Milestones
        .Where(row => row.OrgId == orgId && (page.After == null || row.Id > page.After)).OrderBy(row => row.Id)
        .Take(page.Size).Select(row => new MilestoneView(row.Id, row.Name, row.Color)).ToListAsync(ct);

    public Task<List<CourseMilestoneView>> MilestonesOfCourseAsync(int courseId, CancellationToken ct) =>
        (from link in db.CourseMilestones
         where link.CourseId == courseId
         join milestone in db.Milestones on link.MilestoneId equals milestone.Id
         orderby link.Ordering, link.Id
         select new CourseMilestoneView(link.Id, milestone.Id, milestone.Name, link.Ordering)).ToListAsync(ct);

    public Task RenameMilestoneAsync(int id, string name, CancellationToken ct) =>
        db.Milestones.Where(row => row.Id == id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Name, name), ct);

    /// <summary>From every course, with what it held there: a task in no module would be seen nowhere and count all the same.</summary>
    public async Task DeleteMilestoneAsync(int id, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var courses = await db.CourseMilestones.Where(link => link.MilestoneId == id).Select(link => link.CourseId).ToListAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"""
            with tasks as (update learning.course_tasks set deleted_at = {now} where milestone_id = {id} and deleted_at is null),
              links as (update learning.course_milestones set deleted_at = {now} where milestone_id = {id} and deleted_at is null)
            update learning.milestones set deleted_at = {now} where id = {id}
            """, ct);
        await standings.MarkStaleByCoursesAsync(courses, ct);
        await transaction.CommitAsync(ct);
    }

    public async Task<List<CourseTaskView>> TasksAsync(int courseId, CancellationToken ct)
    {
        var rows = await (
            from link in db.CourseTasks
            where link.CourseId == courseId
            join task in db.Tasks on link.TaskId equals task.Id
            join milestone in db.Milestones on link.MilestoneId equals milestone.Id into milestones
            from milestone in milestones.DefaultIfEmpty()
            orderby link.Ordering, link.Id
            select new { link, task.Title, task.Type, Milestone = milestone == null ? null : milestone.Name }).ToListAsync(ct);
        return rows.ConvertAll(row => new CourseTaskView(
            row.link.TaskId, row.Title, row.Milestone ?? "[UNASSIGNED]", null,
            null, null, [], row.link.Ordering, row.link.Id, row.link.MilestoneId,
            row.Type));
    }

    /// <summary>Two who change the same course's order go one after the other.</summary>
    public Task LockAsync(int courseId, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select from learning.courses where id = {courseId} for no key update", ct);
}
