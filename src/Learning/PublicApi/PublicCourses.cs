using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Courses;
using Stoa.Learning.Generation;
using Stoa.Learning.Tasks;
using Stoa.Learning.Wire;

namespace Stoa.Learning.PublicApi;

/// <summary>A course as it is published, with what is in its tasks.</summary>
internal sealed record PublicCourse(
    int Id, string Name, IReadOnlyList<PublicMilestone> Milestones, CourseGenerationStatus? CourseGenerationStatus);

internal sealed record PublicMilestone(
    int Id, string Name, string? Color, int Ordering, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? UnlockAt,
    IReadOnlyList<PublicTask> Tasks);

/// <param name="Blocks">Of learning materials.</param>
/// <param name="Questions">Of quizzes, with their solutions: it is the school itself that reads.</param>
internal sealed record PublicTask(
    int Id, string Title, TaskType Type, PublishState Status,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? ScheduledPublishAt,
    int Ordering, int? NumQuestions, bool IsGenerating, JsonArray? Blocks, IReadOnlyList<QuestionView>? Questions);

/// <summary>Reads a whole course by three statements, however many tasks it has.</summary>
internal sealed class PublicCourses(LearningDb db, CourseTrees trees)
{
    /// <summary>Whose the course is; null where there is none.</summary>
    public Task<int?> OrganizationOfAsync(int courseId, CancellationToken ct) =>
        db.Courses.Where(course => course.Id == courseId).Select(course => (int?)course.OrgId).FirstOrDefaultAsync(ct);

    public async Task<PublicCourse?> FindAsync(int courseId, CancellationToken ct)
    {
        if (await trees.FindAsync(courseId, onlyPublished: true, ct) is not { } tree)
        {
            return null;
        }
        var ids = tree.Milestones.SelectMany(milestone => milestone.Tasks).Select(task => task.Id).ToArray();
        var blocks = await db.Tasks.Where(task => ids.Contains(task.Id) && task.Type == TaskType.LearningMaterial)
            .ToDictionaryAsync(task => task.Id, task => task.Blocks, ct);
        var rows = await (
            from question in db.Questions.AsNoTracking()
            where ids.Contains(question.TaskId)
            orderby question.Position, question.Id
            select new
            {
                question,
                ScorecardId = db.QuestionScorecards.Where(link => link.QuestionId == question.Id)
                .Select(link => (int?)link.ScorecardId).FirstOrDefault(),
            }).ToListAsync(ct);
        var questions = rows.ToLookup(row => row.question.TaskId, row => QuestionView.Of(row.question, row.ScorecardId));
        return new(
            tree.Id, tree.Name,
            [.. tree.Milestones.Select(milestone => new PublicMilestone(
                milestone.Id, milestone.Name, milestone.Color, milestone.Ordering, milestone.UnlockAt,
                [.. milestone.Tasks.Select(task => With(task, blocks, questions))]))],
            tree.CourseGenerationStatus);
    }

    private static PublicTask With(MilestoneTask task, Dictionary<int, string?> blocks, ILookup<int, QuestionView> questions) => new(
        task.Id, task.Title, task.Type, task.Status, task.ScheduledPublishAt, task.Ordering, task.NumQuestions, task.IsGenerating,
        task.Type == TaskType.LearningMaterial ? Blocks.Read(blocks.GetValueOrDefault(task.Id)) : null,
        task.Type == TaskType.Quiz ? [.. questions[task.Id]] : null);
}
