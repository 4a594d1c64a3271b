using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Tasks;

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
internal sealed class Boards(LearningDb db, Standings standings, TimeProvider time)
{
    /// <summary>Its learners, or those of a batch, by streak, then by tasks, then by id.</summary>
    public async Task<Leaderboard> LeaderboardAsync(int cohortId, int? batchId, CancellationToken ct)
    {
        var yesterday = (await standings.RefreshAsync(cohortId, ct)).Today.AddDays(-1);
        var rows = await RowsAsync(cohortId, batchId, yesterday, ct);
        if (rows.Count == 0)
        {
            return new(null, null);
        }
        var tasks = await TasksAsync(cohortId, courseId: 0, ct);
        return new(rows.ConvertAll(row => new BoardEntry(row.User, row.StreakCount, row.TasksCompleted)), new(tasks.Sum(type => type.Count)));
    }

    /// <summary>The days of each learner's streak that fall into the window, most first.</summary>
    public async Task<List<UserStreak>> StreaksAsync(int cohortId, TimeWindow window, CancellationToken ct)
    {
        var clock = await standings.RefreshAsync(cohortId, ct);
        var since = window.StartOf(clock.Today);
        var rows = await RowsAsync(cohortId, batchId: null, clock.Today.AddDays(-1), ct);
        return [.. rows
            .Select(row => new UserStreak(row.User, since is { } first && row.StreakEnd is { } last
                ? Math.Clamp(last.DayNumber - first.DayNumber + 1, 0, row.StreakCount)
                : row.StreakCount))
            .OrderByDescending(streak => streak.Count).ThenBy(streak => streak.User.Id)];
    }

    /// <summary>How far a cohort's learners, or those of a batch, are in one course.</summary>
    public async Task<CourseMetrics> CourseAsync(int cohortId, int courseId, int? batchId, CancellationToken ct)
    {
        await standings.RefreshAsync(cohortId, ct);
        var types = await TasksAsync(cohortId, courseId, ct);
        var learners = await db.Database.SqlQuery<CourseRowOfLearner>($"""
            select uc.user_id, coalesce(s.quiz, 0) as quiz, coalesce(s.learning_material, 0) as learning_material,
              coalesce(s.assignment, 0) as assignment, coalesce(s.is_active, false) as is_active
            from learning.user_cohorts uc
            left join learning.course_standings s on s.cohort_id = uc.cohort_id and s.course_id = {courseId} and s.user_id = uc.user_id
            where uc.cohort_id = {cohortId} and uc.role = 'learner' and uc.deleted_at is null and ({batchId ?? 0} = 0 or exists (
              select from learning.user_batches b where b.batch_id = {batchId ?? 0} and b.user_id = uc.user_id and b.deleted_at is null))
            order by uc.user_id
            """).ToListAsync(ct);
        var total = types.Sum(type => type.Count);
        if (learners.Count == 0 || total == 0)
        {
            return CourseMetrics.Empty;
        }
        return new(
            learners.Average(learner => (double)(learner.Quiz + learner.LearningMaterial + learner.Assignment) / total), total,
            learners.Count(learner => learner.IsActive),
            types.ToDictionary(type => Platform.Data.EnumNames<TaskType>.Write(type.Type), type => new TaskTypeMetrics(
                learners.Average(learner => (double)learner.Of(type.Type) / type.Count), type.Count,
                learners.ToDictionary(learner => learner.UserId, learner => learner.Of(type.Type))), StringComparer.Ordinal));
    }

    private async Task<List<BoardRow>> RowsAsync(int cohortId, int? batchId, DateOnly yesterday, CancellationToken ct) =>
        await db.Database.SqlQuery<BoardRow>($"""
            select u.id, u.email, u.first_name, u.middle_name, u.last_name, s.streak_end,
              case when s.streak_end >= {yesterday} then s.streak_days else 0 end as streak_count, coalesce(s.tasks_completed, 0) as tasks_completed
            from learning.user_cohorts uc
            join learning.users u on u.id = uc.user_id and u.deleted_at is null
            left join learning.standings s on s.cohort_id = uc.cohort_id and s.user_id = uc.user_id
            where uc.cohort_id = {cohortId} and uc.role = 'learner' and uc.deleted_at is null and ({batchId ?? 0} = 0 or exists (
              select from learning.user_batches b where b.batch_id = {batchId ?? 0} and b.user_id = uc.user_id and b.deleted_at is null))
            order by streak_count desc, tasks_completed desc, u.id
            """).ToListAsync(ct);

    // As Standings.cs counts them.
    private Task<List<TypeCount>> TasksAsync(int cohortId, int courseId, CancellationToken ct) => db.Database.SqlQuery<TypeCount>($"""
        select t.type, count(distinct t.id)::integer as count
        from learning.course_cohorts cc
        join learning.courses c on c.id = cc.course_id and c.deleted_at is null
        join learning.course_tasks ct on ct.course_id = cc.course_id and ct.deleted_at is null and ct.milestone_id is not null
        join learning.tasks t on t.id = ct.task_id and t.deleted_at is null and t.status = 'published'
          and coalesce(t.scheduled_publish_at <= {time.GetUtcNow()}, true)
        where cc.cohort_id = {cohortId} and cc.deleted_at is null and ({courseId} = 0 or cc.course_id = {courseId})
        group by t.type order by t.type
        """).ToListAsync(ct);

    private sealed record BoardRow(
        int Id, string Email, string? FirstName, string? MiddleName, string? LastName, DateOnly? StreakEnd, int StreakCount, int TasksCompleted)
    {
        public BoardUser User => new(Id, Email, FirstName, MiddleName, LastName);
    }

    private sealed record TypeCount(TaskType Type, int Count);

    private sealed record CourseRowOfLearner(int UserId, int Quiz, int LearningMaterial, int Assignment, bool IsActive)
    {
        public int Of(TaskType type) => type switch
        {
            TaskType.Quiz => Quiz,
            TaskType.LearningMaterial => LearningMaterial,
            TaskType.Assignment => Assignment,
        };
    }
}
