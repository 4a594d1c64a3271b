using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Generation;
using Stoa.Learning.Tasks;
using Stoa.Learning.Wire;
using Stoa.Platform.Data;

namespace Stoa.Learning.Courses;

/// <param name="NumQuestions">Of quizzes only.</param>
/// <param name="IsGenerating">The page then opens the WebSocket by itself.</param>
internal sealed record MilestoneTask(
    int Id, string Title, TaskType Type, PublishState Status, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? ScheduledPublishAt,
    int Ordering, int? NumQuestions, bool IsGenerating);

internal sealed record MilestoneWithTasks(
    int Id, string Name, string? Color, int Ordering, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? UnlockAt,
    IReadOnlyList<MilestoneTask> Tasks);

internal sealed record CourseTree(
    int Id, string Name, IReadOnlyList<MilestoneWithTasks> Milestones, CourseGenerationStatus? CourseGenerationStatus);

/// <summary>Courses with their modules and tasks, each set of courses by one statement.</summary>
internal sealed class CourseTrees(LearningDb db, TimeProvider time)
{
    /// <summary>Null where there is no such course.</summary>
    public async Task<CourseTree?> FindAsync(int courseId, bool onlyPublished, CancellationToken ct) =>
        (await ReadAsync([courseId], onlyPublished, _ => DripConfig.Off, joinedAt: null, ct)).FirstOrDefault();

    /// <summary>What a cohort's member sees of its courses, in the order in which they were linked.</summary>
    /// <param name="joinedAt">From when on his spans run; null for who is kept from nothing.</param>
    public async Task<List<CourseTree>> OfCohortAsync(int cohortId, DateTimeOffset? joinedAt, CancellationToken ct)
    {
        var links = await db.CourseCohorts.AsNoTracking().Where(link => link.CohortId == cohortId).OrderBy(link => link.Id).ToListAsync(ct);
        var drips = links.ToDictionary(link => link.CourseId, Config);
        return await ReadAsync([.. links.Select(link => link.CourseId)], onlyPublished: true, course => drips[course], joinedAt, ct);
    }

    public static DripConfig Config(CourseCohort link) => new()
    {
        IsDripEnabled = link.IsDripEnabled, FrequencyValue = link.FrequencyValue, FrequencyUnit = link.FrequencyUnit, PublishAt = link.PublishAt,
    };

    private async Task<List<CourseTree>> ReadAsync(
        int[] courseIds, bool onlyPublished, Func<int, DripConfig> drip, DateTimeOffset? joinedAt, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var rows = await db.Database.SqlQuery<TreeRow>($"""
            with wanted as materialized (
              select c.id, c.name, ids.place, (
                select status from learning.course_generation_jobs g where g.course_id = c.id and g.deleted_at is null order by g.id desc limit 1
              ) as generation
              from unnest({courseIds}) with ordinality as ids (id, place) join learning.courses c on c.id = ids.id and c.deleted_at is null
            ), asked as materialized (
              select task_id, count(*)::integer as questions from learning.questions
              where deleted_at is null and task_id in (
                select task_id from learning.course_tasks where course_id = any ({courseIds}) and deleted_at is null)
              group by task_id
            ), growing as materialized (
              select distinct task_id from learning.task_generation_jobs
              where course_id = any ({courseIds}) and status = 'started' and deleted_at is null
            )
            select wanted.id as course_id, wanted.name as course_name, wanted.generation,
              m.id as milestone_id, m.name as milestone_name, m.color, m.ordering as milestone_ordering,
              t.id as task_id, t.title, t.type, t.status, t.scheduled_publish_at, t.ordering as task_ordering,
              case when t.type = 'quiz' then coalesce(asked.questions, 0) end as num_questions, growing.task_id is not null as is_generating
            from wanted
            left join lateral (
              select m.id, m.name, m.color, cm.ordering, cm.id as link_id
              from learning.course_milestones cm join learning.milestones m on m.id = cm.milestone_id and m.deleted_at is null
              where cm.course_id = wanted.id and cm.deleted_at is null) m on true
            left join lateral (
              select t.id, t.title, t.type, t.status, t.scheduled_publish_at, ct.ordering
              from learning.course_tasks ct join learning.tasks t on t.id = ct.task_id and t.deleted_at is null
                and (not {onlyPublished} or (t.status = 'published' and coalesce(t.scheduled_publish_at <= {now}, true)))
              where ct.course_id = wanted.id and ct.milestone_id = m.id and ct.deleted_at is null) t on true
            left join asked on asked.task_id = t.id
            left join growing on growing.task_id = t.id
            order by wanted.place, m.ordering, m.link_id, t.ordering, t.id
            """).Prepared().ToListAsync(ct);
        return [.. rows.GroupBy(row => row.CourseId).Select(course =>
        {
            var first = course.First();
            return new CourseTree(course.Key, first.CourseName, Milestones(course, drip(course.Key), joinedAt, now), first.Generation);
        })];
    }

    private static List<MilestoneWithTasks> Milestones(
        IEnumerable<TreeRow> course, DripConfig drip, DateTimeOffset? joinedAt, DateTimeOffset now)
    {
        var milestones = new List<MilestoneWithTasks>();
        // Only modules with something to see take a place in the sequence.
        var place = 0;
        foreach (var milestone in course.Where(row => row.MilestoneId is not null).GroupBy(row => row.MilestoneId!.Value))
        {
            var first = milestone.First();
            var tasks = milestone.Where(row => row.TaskId is not null).Select(row => new MilestoneTask(
                row.TaskId!.Value, row.Title!, row.Type!.Value, row.Status!.Value, row.ScheduledPublishAt, row.TaskOrdering!.Value, row.NumQuestions,
                row.IsGenerating)).ToList();
            milestones.Add(new(
                milestone.Key, first.MilestoneName!, first.Color, first.MilestoneOrdering!.Value,
                tasks.Count == 0 ? null : drip.UnlockAt(place, joinedAt, now), tasks));
            place += tasks.Count == 0 ? 0 : 1;
        }
        return milestones;
    }

    private sealed record TreeRow
    {
        public int CourseId { get; init; }

        public string CourseName { get; init; } = "";

        public CourseGenerationStatus? Generation { get; init; }

        public int? MilestoneId { get; init; }

        public string? MilestoneName { get; init; }

        public string? Color { get; init; }

        public int? MilestoneOrdering { get; init; }

        public int? TaskId { get; init; }

        public string? Title { get; init; }

        public TaskType? Type { get; init; }

        public PublishState? Status { get; init; }

        public DateTimeOffset? ScheduledPublishAt { get; init; }

        public int? TaskOrdering { get; init; }

        public int? NumQuestions { get; init; }

        public bool IsGenerating { get; init; }
    }
}
