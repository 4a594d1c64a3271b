using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Notifications;
using Stoa.Learning.Tasks;
using Stoa.Platform.Http;

namespace Stoa.Learning.Courses;

/// <summary>Copies of whole courses, into the same organization or another: all drafts, judged by scorecards of the new owner.</summary>
internal sealed class CourseCopies(LearningDb db, TaskCopies tasks, SchoolNews news)
{
    /// <returns>The copy's id.</returns>
    public async Task<int> CopyAsync(int courseId, int orgId, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var course = await db.Courses.AsNoTracking().FirstOrDefaultAsync(row => row.Id == courseId, ct) ?? throw Failure.NotFound("Course");
        var copy = new CourseRow { OrgId = orgId, Name = $"{course.Name} (Copy)" };
        db.Add(copy);
        await db.SaveChangesAsync(ct);
        var milestones = await CopyMilestonesAsync(courseId, copy.Id, orgId, ct);
        var made = await CopyTasksAsync(courseId, copy.Id, orgId, milestones, ct);
        await CopyScorecardsAsync([.. made.Values], orgId, ct);
        await RelinkMaterialsAsync(made, ct);
        await news.TellAsync(db, [TellSlack.CourseCreated(copy.Id)], ct);
        await transaction.CommitAsync(ct);
        return copy.Id;
    }

    /// <returns>By the original's id.</returns>
    private async Task<Dictionary<int, int>> CopyMilestonesAsync(int courseId, int copyId, int orgId, CancellationToken ct)
    {
        var originals = await (
            from link in db.CourseMilestones
            where link.CourseId == courseId
            join milestone in db.Milestones on link.MilestoneId equals milestone.Id
            orderby link.Ordering, link.Id
            select new { milestone.Id, milestone.Name, milestone.Color, link.Ordering }).ToListAsync(ct);
        var made = new Dictionary<int, int>();
        foreach (var original in originals)
        {
            var copy = new MilestoneRow { OrgId = orgId, Name = original.Name, Color = original.Color };
            db.Add(copy);
            await db.SaveChangesAsync(ct);
            db.Add(new CourseMilestone { CourseId = copyId, MilestoneId = copy.Id, Ordering = original.Ordering });
            made[original.Id] = copy.Id;
        }
        await db.SaveChangesAsync(ct);
        return made;
    }

    /// <returns>By the original's id.</returns>
    private async Task<Dictionary<int, int>> CopyTasksAsync(
        int courseId, int copyId, int orgId, Dictionary<int, int> milestones, CancellationToken ct)
    {
        var originals = await (
            from link in db.CourseTasks.AsNoTracking()
            where link.CourseId == courseId && link.MilestoneId != null
            join task in db.Tasks.AsNoTracking() on link.TaskId equals task.Id
            orderby link.Ordering, link.Id
            select new { link, task }).ToListAsync(ct);
        var made = new Dictionary<int, int>();
        foreach (var original in originals)
        {
            if (milestones.TryGetValue(original.link.MilestoneId!.Value, out var milestone))
            {
                var copy = await tasks.CopyContentAsync(original.task, orgId, ct);
                db.Add(new CourseTask { TaskId = copy.Id, CourseId = copyId, MilestoneId = milestone, Ordering = original.link.Ordering });
                made[original.task.Id] = copy.Id;
            }
        }
        await db.SaveChangesAsync(ct);
        return made;
    }

    /// <summary>
    /// A quiz gets its own copy of each scorecard that its questions use, the assignments of the course share one of each; all are
    /// published.
    /// </summary>
    private async Task CopyScorecardsAsync(int[] taskIds, int orgId, CancellationToken ct)
    {
        var ofQuizzes = await db.Database.SqlQuery<Use>($"""
            select distinct q.task_id, link.scorecard_id from learning.questions q
            join learning.question_scorecards link on link.question_id = q.id and link.deleted_at is null
            where q.task_id = any ({taskIds}) and q.deleted_at is null order by q.task_id, link.scorecard_id
            """).ToListAsync(ct);
        foreach (var use in ofQuizzes)
        {
            var copy = await CopyScorecardAsync(use.ScorecardId, orgId, ct);
            await db.Database.ExecuteSqlAsync($"""
                update learning.question_scorecards set scorecard_id = {copy}
                where scorecard_id = {use.ScorecardId} and question_id in (select id from learning.questions where task_id = {use.TaskId})
                """, ct);
        }
        var ofAssignments = await db.Database.SqlQuery<int>($"""
            select distinct (evaluation_criteria ->> 'scorecard_id')::integer as "Value" from learning.assignments
            where task_id = any ({taskIds}) and evaluation_criteria ->> 'scorecard_id' is not null
            """).ToListAsync(ct);
        foreach (var scorecard in ofAssignments)
        {
            var copy = await CopyScorecardAsync(scorecard, orgId, ct);
            await db.Database.ExecuteSqlAsync($$"""
                update learning.assignments set evaluation_criteria = jsonb_set(evaluation_criteria, '{scorecard_id}', to_jsonb({{copy}}))
                where task_id = any ({{taskIds}}) and (evaluation_criteria ->> 'scorecard_id')::integer = {{scorecard}}
                """, ct);
        }
    }

    private async Task<int> CopyScorecardAsync(int id, int orgId, CancellationToken ct) => (await db.Database.SqlQuery<int>($"""
        insert into learning.scorecards (org_id, title, criteria, status) select {orgId}, title, criteria, 'published'
        from learning.scorecards where id = {id}
        returning id as "Value"
        """).ToListAsync(ct))[0];

    /// <summary>
    /// Knowledge bases name the copies of materials that were copied along, in the form in which they named the originals.
    /// </summary>
    private async Task RelinkMaterialsAsync(Dictionary<int, int> made, CancellationToken ct)
    {
        var questions = await db.Questions.Where(row => made.Values.Contains(row.TaskId) && row.Context != null).ToListAsync(ct);
        var assignments = await db.Assignments.Where(row => made.Values.Contains(row.TaskId) && row.Context != null).ToListAsync(ct);
        questions.ForEach(row => row.Context = Relink(row.Context, made));
        assignments.ForEach(row => row.Context = Relink(row.Context, made));
        await db.SaveChangesAsync(ct);
    }

    private static string? Relink(string? context, Dictionary<int, int> made)
    {
        if (Blocks.ReadAny(context)?["linkedMaterialIds"] is not System.Text.Json.Nodes.JsonArray linked)
        {
            return context;
        }
        for (var index = 0; index < linked.Count; index++)
        {
            var isText = linked[index]?.GetValueKind() == System.Text.Json.JsonValueKind.String;
            if (int.TryParse(linked[index]?.ToString(), CultureInfo.InvariantCulture, out var original)
                && made.TryGetValue(original, out var copy))
            {
                linked[index] = isText ? copy.ToString(CultureInfo.InvariantCulture) : copy;
            }
        }
        return linked.Root.ToJsonString();
    }

    private sealed record Use(int TaskId, int ScorecardId);
}
