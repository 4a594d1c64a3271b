using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Progress;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Courses;

/// <summary>A task in a course, and in which of its modules.</summary>
internal sealed record TaskPlace(int TaskId, int CourseId, int? MilestoneId);

/// <summary>Where modules and tasks stand in their courses. What several are moved at once, all are the caller's or none moves.</summary>
internal sealed class CourseOrder(LearningDb db, Standings standings, TimeProvider time)
{
    /// <exception cref="Stoa.Platform.Http.Failure">400: one of them is not in the course.</exception>
    public async Task SwapMilestonesAsync(int courseId, int first, int second, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await LockAsync([courseId], ct);
        var links = await db.CourseMilestones.Where(link => link.CourseId == courseId
            && (link.MilestoneId == first || link.MilestoneId == second))
            .ToListAsync(ct);
        if (first == second || links.Count != 2)
        {
            throw Refusal.BadRequest("One or both milestones do not exist for this course");
        }
        (links[0].Ordering, links[1].Ordering) = (links[1].Ordering, links[0].Ordering);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <exception cref="Stoa.Platform.Http.Failure">400: one of them is not in the course, or they are in two modules.</exception>
    public async Task SwapTasksAsync(int courseId, int first, int second, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await LockAsync([courseId], ct);
        var links = await db.CourseTasks.Where(link => link.CourseId == courseId
            && (link.TaskId == first || link.TaskId == second)).ToListAsync(ct);
        if (first == second || links.Count != 2)
        {
            throw Refusal.BadRequest("One or both tasks do not exist for this course");
        }
        if (links[0].MilestoneId != links[1].MilestoneId)
        {
            throw Refusal.BadRequest("Tasks must belong to the same milestone");
        }
        (links[0].Ordering, links[1].Ordering) = (links[1].Ordering, links[0].Ordering);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <param name="orders">Pairs of an ordering and the id of a link between a course and a module.</param>
    /// <param name="organizations">Whose courses the caller may change.</param>
    /// <returns>False when one is nobody's whom the caller may change; then nothing has changed.</returns>
    public Task<bool> OrderMilestonesAsync(IReadOnlyList<(int Ordering, int Id)> orders, int[] organizations, CancellationToken ct) =>
        AllOrNoneAsync(orders.Select(order => order.Id).Distinct().Count(), ct => db.Database.ExecuteSqlAsync($"""
            update learning.course_milestones link set ordering = wanted.ordering
            from unnest({Orderings(orders)}, {Ids(orders)}) as wanted (ordering, id), learning.courses c
            where link.id = wanted.id
              and link.deleted_at is null and c.id = link.course_id and c.deleted_at is null and c.org_id = any ({organizations})
            """, ct), ct);

    /// <inheritdoc cref="OrderMilestonesAsync"/>
    public Task<bool> OrderTasksAsync(IReadOnlyList<(int Ordering, int Id)> orders, int[] organizations, CancellationToken ct) =>
        AllOrNoneAsync(orders.Select(order => order.Id).Distinct().Count(), ct => db.Database.ExecuteSqlAsync($"""
            update learning.course_tasks link set ordering = wanted.ordering
            from unnest({Orderings(orders)}, {Ids(orders)}) as wanted (ordering, id), learning.courses c
            where link.id = wanted.id
              and link.deleted_at is null and c.id = link.course_id and c.deleted_at is null and c.org_id = any ({organizations})
            """, ct), ct);

    /// <summary>
    /// At the end of each course; a module that the course does not have yet comes with its task. What is there stays as it is.
    /// </summary>
    /// <returns>False when a task, a course or a module is not the caller's, or not of one organization.</returns>
    public async Task<bool> AddTasksAsync(IReadOnlyList<TaskPlace> places, int[] organizations, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var courses = places.Select(place => place.CourseId).Distinct().Order().ToArray();
        await LockAsync(courses, ct);
        var (tasks, of, milestones) = (places.Select(place => place.TaskId).ToArray(), places.Select(place => place.CourseId).ToArray(),
            places.Select(place => place.MilestoneId).ToArray());
        var own = await db.Database.SqlQuery<int>($"""
            select count(*)::integer as "Value" from unnest({tasks}, {of}, {milestones}) as wanted (task_id, course_id, milestone_id)
            join learning.courses c on c.id = wanted.course_id and c.deleted_at is null and c.org_id = any ({organizations})
            join learning.tasks t on t.id = wanted.task_id and t.deleted_at is null and t.org_id = c.org_id
            left join learning.milestones m on m.id = wanted.milestone_id and m.deleted_at is null and m.org_id = c.org_id
            where wanted.milestone_id is null or m.id is not null
            """).SingleAsync(ct);
        if (own != places.Count)
        {
            return false;
        }
        foreach (var place in places)
        {
            await AddTaskAsync(place, ct);
        }
        await standings.MarkStaleByCoursesAsync(courses, ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <returns>False when a course is not the caller's.</returns>
    public async Task<bool> RemoveTasksAsync(IReadOnlyList<(int TaskId, int CourseId)> pairs, int[] organizations, CancellationToken ct)
    {
        var courses = pairs.Select(pair => pair.CourseId).Distinct().ToArray();
        if (await db.Courses.CountAsync(
            course => courses.Contains(course.Id) && organizations.Contains(course.OrgId), ct) != courses.Length)
        {
            return false;
        }
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"""
            update learning.course_tasks set deleted_at = {time.GetUtcNow()} where deleted_at is null and (task_id, course_id) in (
              select * from unnest({pairs.Select(pair => pair.TaskId).ToArray()}, {pairs.Select(pair => pair.CourseId).ToArray()}))
            """, ct);
        await standings.MarkStaleByCoursesAsync(courses, ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <summary>Two who change the order of the same course go one after the other.</summary>
    private Task<int> LockAsync(int[] courses, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select from learning.courses where id = any ({courses}) order by id for no key update", ct);

    private async Task AddTaskAsync(TaskPlace place, CancellationToken ct)
    {
        if (place.MilestoneId is { } milestone)
        {
            await db.Database.ExecuteSqlAsync($"""
                insert into learning.course_milestones as link (course_id, milestone_id, ordering)
                select {place.CourseId}, {milestone}, coalesce(max(ordering) + 1, 0) from learning.course_milestones
                where course_id = {place.CourseId} and deleted_at is null
                on conflict (course_id, milestone_id) do update set deleted_at = null, ordering = excluded.ordering
                  where link.deleted_at is not null
                """, ct);
        }
        await db.Database.ExecuteSqlAsync($"""
            insert into learning.course_tasks as link (task_id, course_id, milestone_id, ordering)
            select {place.TaskId}, {place.CourseId}, {place.MilestoneId}::integer, coalesce(max(ordering) + 1, 0) from learning.course_tasks
            where course_id = {place.CourseId} and deleted_at is null
            on conflict (task_id, course_id) do update
            set deleted_at = null, milestone_id = excluded.milestone_id, ordering = excluded.ordering where link.deleted_at is not null
            """, ct);
    }

    private async Task<bool> AllOrNoneAsync(int count, Func<CancellationToken, Task<int>> write, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await write(ct) != count)
        {
            return false;
        }
        await transaction.CommitAsync(ct);
        return true;
    }

    private static int[] Orderings(IReadOnlyList<(int Ordering, int Id)> orders) => [.. orders.Select(order => order.Ordering)];

    private static int[] Ids(IReadOnlyList<(int Ordering, int Id)> orders) => [.. orders.Select(order => order.Id)];
}
