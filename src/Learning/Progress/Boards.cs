using System.Text.Json.Serialization;
using Npgsql;
using Stoa.Learning.Tasks;
using Stoa.Platform.Data;

namespace Stoa.Learning.Progress;

internal sealed record BoardUser(int Id, string Email, string? FirstName, string? MiddleName, string? LastName);

internal sealed record BoardEntry(BoardUser User, int StreakCount, int TasksCompleted);

internal sealed record BoardSize(int NumTasks);

/// <summary>Without learners both are left out: the front end expects an empty object.</summary>
internal sealed record Leaderboard(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<BoardEntry>? Stats,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] BoardSize? Metadata);

internal sealed record UserStreak(BoardUser User, int Count);

/// <param name="Completions">Of every learner, by his id.</param>
internal sealed record TaskTypeMetrics(double CompletionRate, int Count, IReadOnlyDictionary<int, int> Completions);

/// <summary>Without learners or tasks an empty object.</summary>
internal sealed record CourseMetrics(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? AverageCompletion,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? NumTasks,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? NumActiveLearners,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, TaskTypeMetrics>? TaskTypeMetrics)
{
    public static readonly CourseMetrics Empty = new(null, null, null, null);
}

/// <summary>What a cohort's people see of one another, from its standings.</summary>
internal sealed class Boards(NpgsqlDataSource source, Standings standings, TimeProvider time)
{
    private const string Learners = "where uc.cohort_id = $1 and uc.role = 'learner' and uc.deleted_at is null";

    // $3: the batch.
    private const string OfBatch =
        " and exists (select from learning.user_batches b where b.batch_id = $3 and b.user_id = uc.user_id and b.deleted_at is null)";

    // $1: the cohort. $2: yesterday.
    private const string Rows = $"""
        select u.id, case when s.streak_end >= $2 then s.streak_days else 0 end, coalesce(s.tasks_completed, 0), s.streak_end,
          u.email, u.first_name, u.middle_name, u.last_name
        from learning.user_cohorts uc
        join learning.users u on u.id = uc.user_id and u.deleted_at is null
        left join learning.standings s on s.cohort_id = uc.cohort_id and s.user_id = uc.user_id
        {Learners}
        """;

    // By streak, then by tasks, then by id, as one number: most are alike in the first two, and to compare three values each time takes
    // longer than all the rest.
    private const string Ordered = """
         order by (case when s.streak_end >= $2 then s.streak_days else 0 end::bigint << 47)
          + (least(coalesce(s.tasks_completed, 0), 65535)::bigint << 31) - u.id desc
        """;

    // $2: the course.
    private const string RowsOfCourse = $"""
        select uc.user_id, coalesce(s.quiz, 0), coalesce(s.learning_material, 0), coalesce(s.assignment, 0), coalesce(s.is_active, false)
        from learning.user_cohorts uc
        left join learning.course_standings s on s.cohort_id = uc.cohort_id and s.course_id = $2 and s.user_id = uc.user_id
        {Learners}
        """;

    private const string OrderedById = " order by uc.user_id";

    // $1: the cohort. $2: the course, or 0. $3: now. As Standings.cs counts them.
    private const string Tasks = """
        select t.type, count(distinct t.id)::integer
        from learning.course_cohorts cc
        join learning.courses c on c.id = cc.course_id and c.deleted_at is null
        join learning.course_tasks ct on ct.course_id = cc.course_id and ct.deleted_at is null and ct.milestone_id is not null
        join learning.tasks t on t.id = ct.task_id and t.deleted_at is null and t.status = 'published'
          and coalesce(t.scheduled_publish_at <= $3, true)
        where cc.cohort_id = $1 and cc.deleted_at is null and ($2 = 0 or cc.course_id = $2)
        group by t.type order by t.type
        """;

    /// <summary>Its learners, or those of a batch, by streak, then by tasks, then by id.</summary>
    public async Task<Leaderboard> LeaderboardAsync(int cohortId, int? batchId, CancellationToken ct)
    {
        var yesterday = (await standings.RefreshAsync(cohortId, ct)).Today.AddDays(-1);
        var trip = new RoundTrip(source);
        var entries = batchId is { } batch
            ? trip.Ask(Rows + OfBatch + Ordered, EntryAt, cohortId, yesterday, batch)
            : trip.Ask(Rows + Ordered, EntryAt, cohortId, yesterday);
        var tasks = TasksOf(trip, cohortId, courseId: 0);
        await trip.GoAsync(ct);
        return entries.Count == 0 ? new(null, null) : new(entries, new(tasks.Sum(type => type.Count)));
    }

    /// <summary>The days of each learner's streak that fall into the window, most first.</summary>
    public async Task<List<UserStreak>> StreaksAsync(int cohortId, TimeWindow window, CancellationToken ct)
    {
        var clock = await standings.RefreshAsync(cohortId, ct);
        var since = window.StartOf(clock.Today);
        var trip = new RoundTrip(source);
        var streaks = trip.Ask(
            Rows + Ordered,
            row => new UserStreak(UserAt(row), since is { } first && !row.IsDBNull(3)
                ? Math.Clamp(row.GetFieldValue<DateOnly>(3).DayNumber - first.DayNumber + 1, 0, row.GetInt32(1))
                : row.GetInt32(1)),
            cohortId, clock.Today.AddDays(-1));
        await trip.GoAsync(ct);
        return [.. streaks.OrderByDescending(streak => streak.Count).ThenBy(streak => streak.User.Id)];
    }

    /// <summary>How far a cohort's learners, or those of a batch, are in one course.</summary>
    public async Task<CourseMetrics> CourseAsync(int cohortId, int courseId, int? batchId, CancellationToken ct)
    {
        await standings.RefreshAsync(cohortId, ct);
        var trip = new RoundTrip(source);
        var types = TasksOf(trip, cohortId, courseId);
        var learners = batchId is { } batch
            ? trip.Ask(RowsOfCourse + OfBatch + OrderedById, LearnerAt, cohortId, courseId, batch)
            : trip.Ask(RowsOfCourse + OrderedById, LearnerAt, cohortId, courseId);
        await trip.GoAsync(ct);
        var total = types.Sum(type => type.Count);
        if (learners.Count == 0 || total == 0)
        {
            return CourseMetrics.Empty;
        }
        return new(
            learners.Average(learner => (double)(learner.Quiz + learner.LearningMaterial + learner.Assignment) / total), total,
            learners.Count(learner => learner.IsActive),
            types.ToDictionary(type => EnumNames<TaskType>.Write(type.Type), type => new TaskTypeMetrics(
                learners.Average(learner => (double)learner.Of(type.Type) / type.Count), type.Count,
                learners.ToDictionary(learner => learner.UserId, learner => learner.Of(type.Type))), StringComparer.Ordinal));
    }

    private List<TypeCount> TasksOf(RoundTrip trip, int cohortId, int courseId) => trip.Ask(
        Tasks, static row => new TypeCount(EnumNames<TaskType>.Read(row.GetString(0)), row.GetInt32(1)),
        cohortId, courseId, time.GetUtcNow());

    private static BoardUser UserAt(NpgsqlDataReader row) =>
        new(row.GetInt32(0), row.GetString(4), row.StringOrNull(5), row.StringOrNull(6), row.StringOrNull(7));

    private static BoardEntry EntryAt(NpgsqlDataReader row) => new(UserAt(row), row.GetInt32(1), row.GetInt32(2));

    private static CourseRowOfLearner LearnerAt(NpgsqlDataReader row) =>
        new(row.GetInt32(0), row.GetInt32(1), row.GetInt32(2), row.GetInt32(3), row.GetBoolean(4));

    private sealed record TypeCount(TaskType Type, int Count);

    private readonly record struct CourseRowOfLearner(int UserId, int Quiz, int LearningMaterial, int Assignment, bool IsActive)
    {
        public int Of(TaskType type) => type switch
        {
            TaskType.Quiz => Quiz,
            TaskType.LearningMaterial => LearningMaterial,
            TaskType.Assignment => Assignment,
        };
    }
}
