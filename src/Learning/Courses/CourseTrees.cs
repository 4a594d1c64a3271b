using System.Text.Json.Serialization;
using Npgsql;
using Stoa.Learning.Generation;
using Stoa.Learning.Tasks;
using Stoa.Learning.Wire;
using Stoa.Platform.Data;

namespace Stoa.Learning.Courses;

/// <param name="NumQuestions">Of quizzes only.</param>
/// <param name="IsGenerating">The page then opens the WebSocket by itself.</param>
internal sealed record MilestoneTask(
    int Id, string Title, TaskType Type, PublishState Status,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? ScheduledPublishAt,
    int Ordering, int? NumQuestions, bool IsGenerating);

internal sealed record MilestoneWithTasks(
    int Id, string Name, string? Color, int Ordering, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? UnlockAt,
    IReadOnlyList<MilestoneTask> Tasks);

internal sealed record CourseTree(
    int Id, string Name, IReadOnlyList<MilestoneWithTasks> Milestones, CourseGenerationStatus? CourseGenerationStatus);

/// <summary>Courses with their modules and tasks, however many, by three statements in one round trip.</summary>
internal sealed class CourseTrees(NpgsqlDataSource source, TimeProvider time)
{
    // Which courses: the one with the id $1, or those of the cohort with this id.
    private const string ThisOne = "($1)";
    private const string OfCohort =
        "any (array(select course_id from learning.course_cohorts where cohort_id = $1 and deleted_at is null))";

    private const string Generation =
        "(select status from learning.course_generation_jobs g where g.course_id = c.id and g.deleted_at is null order by g.id desc limit 1)";

    private const string Course = $"select c.id, c.name, {Generation} from learning.courses c where c.id = $1 and c.deleted_at is null";

    private const string CoursesOfCohort = $"""
        select c.id, c.name, {Generation}, cc.is_drip_enabled, cc.frequency_value, cc.frequency_unit, cc.publish_at
        from learning.course_cohorts cc join learning.courses c on c.id = cc.course_id and c.deleted_at is null
        where cc.cohort_id = $1 and cc.deleted_at is null order by cc.id
        """;

    private const string Modules = """
        select cm.course_id, m.id, m.name, m.color, cm.ordering
        from learning.course_milestones cm join learning.milestones m on m.id = cm.milestone_id and m.deleted_at is null
        where cm.deleted_at is null and cm.course_id =
        """;

    private const string InTheirOrder = " order by cm.ordering, cm.id";

    private const string Tasks = """
        select ct.course_id, ct.milestone_id, t.id, t.title, t.type, t.status, t.scheduled_publish_at, ct.ordering,
          case when t.type = 'quiz' then coalesce(asked.questions, 0) end, t.id in (
            select task_id from learning.task_generation_jobs where status = 'started' and deleted_at is null and course_id =
        """;

    private const string AndTheirQuestions = """
        )
        from learning.course_tasks ct
        join learning.tasks t on t.id = ct.task_id and t.deleted_at is null
          and (not $2 or (t.status = 'published' and coalesce(t.scheduled_publish_at <= $3, true)))
        left join (
          select task_id, count(*)::integer as questions from learning.questions
          where deleted_at is null and task_id in (select task_id from learning.course_tasks where deleted_at is null and course_id =
        """;

    private const string OfThem = """
        ) group by task_id) asked on asked.task_id = t.id
        where ct.deleted_at is null and ct.milestone_id is not null and ct.course_id =
        """;

    private const string Ordered = " order by ct.ordering, t.id";

    /// <summary>Null where there is no such course.</summary>
    public async Task<CourseTree?> FindAsync(int courseId, bool onlyPublished, CancellationToken ct)
    {
        var trip = new RoundTrip(source);
        var tree = FindWith(trip, courseId, onlyPublished);
        await trip.GoAsync(ct);
        return tree();
    }

    /// <summary>The same, asked along with other things: told once the round trip is made.</summary>
    public Func<CourseTree?> FindWith(RoundTrip trip, int courseId, bool onlyPublished)
    {
        var now = time.GetUtcNow();
        var courses = trip.Ask(Course, static row => CourseAt(row, DripConfig.Off), courseId);
        var modules = trip.Ask($"{Modules} {ThisOne}{InTheirOrder}", ModuleAt, courseId);
        var tasks = trip.Ask(
            $"{Tasks} {ThisOne}{AndTheirQuestions} {ThisOne}{OfThem} {ThisOne}{Ordered}", TaskAt, courseId, onlyPublished, now);
        return () => Trees(courses, modules, tasks, joinedAt: null, now).FirstOrDefault();
    }

    /// <summary>
    /// What a cohort's member sees of its courses, in the order in which they were linked; told once the round trip is made.
    /// </summary>
    /// <returns>Takes from when on his spans run: null for who is kept from nothing.</returns>
    public Func<DateTimeOffset?, List<CourseTree>> OfCohortWith(RoundTrip trip, int cohortId)
    {
        var now = time.GetUtcNow();
        var courses = trip.Ask(CoursesOfCohort, static row => CourseAt(row, DripAt(row, column: 3)), cohortId);
        var modules = trip.Ask($"{Modules} {OfCohort}{InTheirOrder}", ModuleAt, cohortId);
        var tasks = trip.Ask(
            $"{Tasks} {OfCohort}{AndTheirQuestions} {OfCohort}{OfThem} {OfCohort}{Ordered}", TaskAt, cohortId, true, now);
        return joinedAt => Trees(courses, modules, tasks, joinedAt, now);
    }

    public static DripConfig Config(CourseCohort link) => new()
    {
        IsDripEnabled = link.IsDripEnabled, FrequencyValue = link.FrequencyValue,
        FrequencyUnit = link.FrequencyUnit, PublishAt = link.PublishAt,
    };

    private static List<CourseTree> Trees(
        List<CourseRow> courses, List<ModuleRow> modules, List<PlacedTask> tasks, DateTimeOffset? joinedAt, DateTimeOffset now)
    {
        var within = new Dictionary<(int Course, int Module), List<MilestoneTask>>();
        foreach (var task in tasks)
        {
            if (!within.TryGetValue((task.CourseId, task.ModuleId), out var list))
            {
                within[(task.CourseId, task.ModuleId)] = list = [];
            }
            list.Add(task.Task);
        }
        var modulesOf = modules.ToLookup(module => module.CourseId);
        return courses.ConvertAll(course =>
        {
            var milestones = new List<MilestoneWithTasks>();
            // Only modules with something to see take a place in the sequence.
            var place = 0;
            foreach (var module in modulesOf[course.Id])
            {
                var own = within.GetValueOrDefault((course.Id, module.Id)) ?? [];
                var opens = own.Count == 0 ? null : course.Drip.UnlockAt(place, joinedAt, now);
                milestones.Add(new(module.Id, module.Name, module.Color, module.Ordering, opens, own));
                place += own.Count == 0 ? 0 : 1;
            }
            return new CourseTree(course.Id, course.Name, milestones, course.Generation);
        });
    }

    private static CourseRow CourseAt(NpgsqlDataReader row, DripConfig drip) => new(
        row.GetInt32(0), row.GetString(1), row.StringOrNull(2) is { } status ? EnumNames<CourseGenerationStatus>.Read(status) : null, drip);

    /// <summary>Its four columns, of which this is the first.</summary>
    public static DripConfig DripAt(NpgsqlDataReader row, int column) => new()
    {
        IsDripEnabled = row.GetBoolean(column), FrequencyValue = row.Int32OrNull(column + 1),
        FrequencyUnit = row.StringOrNull(column + 2) is { } unit ? EnumNames<DripUnit>.Read(unit) : null,
        PublishAt = row.InstantOrNull(column + 3),
    };

    private static ModuleRow ModuleAt(NpgsqlDataReader row) =>
        new(row.GetInt32(0), row.GetInt32(1), row.GetString(2), row.StringOrNull(3), row.GetInt32(4));

    private static PlacedTask TaskAt(NpgsqlDataReader row) => new(row.GetInt32(0), row.GetInt32(1), new(
        row.GetInt32(2), row.GetString(3), EnumNames<TaskType>.Read(row.GetString(4)), EnumNames<PublishState>.Read(row.GetString(5)),
        row.InstantOrNull(6), row.GetInt32(7), row.Int32OrNull(8), row.GetBoolean(9)));

    private sealed record CourseRow(int Id, string Name, CourseGenerationStatus? Generation, DripConfig Drip);

    private sealed record ModuleRow(int CourseId, int Id, string Name, string? Color, int Ordering);

    private readonly record struct PlacedTask(int CourseId, int ModuleId, MilestoneTask Task);
}
