using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Learning.Progress;

/// <summary>
/// How far the members of a cohort are, kept as rows of their own so that boards and figures do not count millions of completions: a change
/// of one user counts him anew, in its transaction; a change of courses marks their cohorts. Who reads such a cohort next counts all of it
/// where that takes a moment, and else has it counted by a job (<see cref="CountCohort"/>) and reads what was counted last.
/// </summary>
internal sealed class Standings(LearningDb db, NpgsqlDataSource source, TimeProvider time)
{
    // Members times tasks that are counted within a tenth of a second, also on a machine with other work.
    private const int MostWhileWaiting = 10_000;

    // Of a part none waits long who completes something meanwhile.
    private const int Part = 100;

    // {0}: the cohort. {1}: those of its members, or none for all of them. {2}: now.
    // What is in a draft counts as activity, what is in no module counts nowhere: nobody can see it.
    private const string Count = """
        with zone as (
          select o.time_zone from learning.cohorts c join learning.organizations o on o.id = c.org_id where c.id = {0}
        ), taken as materialized (
          select cc.course_id, t.id as task_id, t.type, t.status = 'published'
          and coalesce(t.scheduled_publish_at <= {2}, true) as is_visible
          from learning.course_cohorts cc
          join learning.courses c on c.id = cc.course_id and c.deleted_at is null
          join learning.course_tasks ct on ct.course_id = cc.course_id and ct.deleted_at is null and ct.milestone_id is not null
          join learning.tasks t on t.id = ct.task_id and t.deleted_at is null
          where cc.cohort_id = {0} and cc.deleted_at is null
        ), tasks as materialized (
          select distinct task_id, type, is_visible from taken
        ), questions as materialized (
          select q.id, q.task_id, tasks.is_visible, count(*) over (partition by q.task_id) as of_task
          from learning.questions q join tasks on tasks.task_id = q.task_id where q.deleted_at is null
        ), members as materialized (
          select user_id from learning.user_cohorts
            where cohort_id = {0} and deleted_at is null and (cardinality({1}) = 0 or user_id = any ({1}))
        ), completions as materialized (
          select tc.user_id, tc.task_id, tc.question_id, tc.created_at from members join learning.task_completions tc using (user_id)
          where tc.deleted_at is null
        ), messages as materialized (
          select h.user_id, h.task_id, h.question_id, h.created_at from members join learning.chat_history h using (user_id)
          where h.deleted_at is null
        ), done as materialized (
          select c.user_id, c.task_id from completions c join tasks t on t.task_id = c.task_id and t.is_visible and t.type <> 'quiz'
          union all
          select c.user_id, q.task_id from completions c join questions q on q.id = c.question_id and q.is_visible
          group by c.user_id, q.task_id having count(*) = min(q.of_task)
        ), acts as materialized (
          select c.user_id, t.task_id, c.created_at from completions c join tasks t on t.task_id = c.task_id
          union all
          select c.user_id, q.task_id, c.created_at from completions c join questions q on q.id = c.question_id
          union all
          select m.user_id, q.task_id, m.created_at from messages m join questions q on q.id = m.question_id
          union all
          select m.user_id, t.task_id, m.created_at from messages m join tasks t on t.task_id = m.task_id
        ), days as (
          select distinct user_id, (created_at at time zone (select time_zone from zone))::date as day from acts
        ), runs as (
          select user_id, max(day) as last_day, count(*)::integer as days
          from (select user_id, day, day - row_number() over (partition by user_id order by day)::integer as start from days) numbered
          group by user_id, start
        ), latest as (
          select distinct on (user_id) user_id, last_day, days from runs order by user_id, last_day desc
        ), counted as (
          select user_id, count(*)::integer as tasks from done group by user_id
        ), board as (
          insert into learning.standings (cohort_id, user_id, tasks_completed, streak_days, streak_end)
          select {0}, m.user_id, coalesce(c.tasks, 0), coalesce(l.days, 0), l.last_day
          from members m left join counted c using (user_id) left join latest l using (user_id)
        ), by_type as materialized (
          select taken.course_id, d.user_id,
            count(*) filter (where taken.type = 'quiz') as quiz,
              count(*) filter (where taken.type = 'learning_material') as learning_material,
            count(*) filter (where taken.type = 'assignment') as assignment
          from done d join taken using (task_id) group by taken.course_id, d.user_id
        ), active as materialized (
          select distinct taken.course_id, a.user_id from (select distinct user_id, task_id from acts) a join taken using (task_id)
        )
        insert into learning.course_standings (cohort_id, course_id, user_id, quiz, learning_material, assignment, is_active)
        select {0}, a.course_id, a.user_id, coalesce(b.quiz, 0), coalesce(b.learning_material, 0), coalesce(b.assignment, 0), true
        from active a left join by_type b using (course_id, user_id)
        """;

    private const string State = $"""
        select c.standings_stale, c.standings_counting, o.time_zone, case when c.standings_stale then (
          select count(*) from learning.user_cohorts m where m.cohort_id = c.id and m.deleted_at is null) * (
          select count(*) from learning.course_cohorts cc
          join learning.course_tasks ct on ct.course_id = cc.course_id and ct.deleted_at is null
          where cc.cohort_id = c.id and cc.deleted_at is null) else 0 end as size,
          c.standings_counting and not exists (
            select from platform.jobs j where j.kind = '{CountCohort.Kind}' and j.unique_key = c.id::text) as is_given_up
        from learning.cohorts c join learning.organizations o on o.id = c.org_id
        where c.id = $1
        """;

    /// <summary>
    /// After a message or a completion of this user was written, and in its transaction where there is one. A message changes something
    /// only once a day, so most of the time this is one look.
    /// </summary>
    public async Task TouchAsync(int userId, int taskId, bool hasCompleted, CancellationToken ct)
    {
        await using var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(ct) : null;
        // Who counts a whole cohort keeps this out, and this keeps him out.
        var cohorts = await db.Database.SqlQuery<int>($"""
            select c.id as "Value" from learning.cohorts c
            where not c.standings_stale and c.id in (
              select uc.cohort_id from learning.user_cohorts uc
              join learning.course_cohorts cc on cc.cohort_id = uc.cohort_id and cc.deleted_at is null
              join learning.course_tasks ct on ct.course_id = cc.course_id and ct.deleted_at is null and ct.task_id = {taskId}
              join learning.cohorts own on own.id = uc.cohort_id
              join learning.organizations o on o.id = own.org_id
              where uc.user_id = {userId} and uc.deleted_at is null and ({hasCompleted}
                or not exists (select from learning.standings s where s.cohort_id = uc.cohort_id and s.user_id = {userId}
                  and s.streak_end >= ({time.GetUtcNow()} at time zone o.time_zone)::date)
                or not exists (select from learning.course_standings s where s.cohort_id = uc.cohort_id and s.course_id = cc.course_id
                  and s.user_id = {userId})))
            order by c.id for share
            """).ToListAsync(ct);
        foreach (var cohort in cohorts)
        {
            // One after the other: each sees what the other has written.
            await db.Database.ExecuteSqlAsync(
                $"select from learning.user_cohorts where cohort_id = {cohort} and user_id = {userId} for no key update", ct);
            await CountAsync(cohort, [userId], ct);
        }
        if (transaction is not null)
        {
            await transaction.CommitAsync(ct);
        }
    }

    /// <summary>After tasks were published, hidden, taken away, or given other questions; in the transaction of that.</summary>
    public Task MarkStaleByTasksAsync(IReadOnlyCollection<int> taskIds, CancellationToken ct) => db.Database.ExecuteSqlAsync($"""
        update learning.cohorts set standings_stale = true where not standings_stale and id in (
          select cc.cohort_id from learning.course_tasks ct join learning.course_cohorts cc on cc.course_id = ct.course_id
          where ct.task_id = any ({taskIds.ToArray()}))
        """, ct);

    /// <summary>After a course's links to tasks or modules have changed.</summary>
    public Task MarkStaleByCoursesAsync(IReadOnlyCollection<int> courseIds, CancellationToken ct) => db.Database.ExecuteSqlAsync($"""
        update learning.cohorts set standings_stale = true where not standings_stale and id in (
          select cohort_id from learning.course_cohorts where course_id = any ({courseIds.ToArray()}))
        """, ct);

    /// <summary>After a cohort's members or courses have changed, or messages of its members were taken away.</summary>
    public Task MarkStaleAsync(IReadOnlyCollection<int> cohortIds, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"update learning.cohorts set standings_stale = true where not standings_stale and id = any ({cohortIds.ToArray()})", ct);

    /// <summary>The cohort's clock. What was marked is counted, or will be.</summary>
    public async Task<CohortClock> RefreshAsync(int cohortId, CancellationToken ct)
    {
        var cohort = await StateAsync(cohortId, ct);
        if (cohort is { IsStale: true, Size: <= MostWhileWaiting })
        {
            await CountAtOnceAsync(cohortId, ct);
        }
        else if (cohort.IsStale || cohort.IsGivenUp)
        {
            db.Enqueue(new CountCohort(cohortId),
                new() { UniqueKey = cohortId.ToString(CultureInfo.InvariantCulture), UniqueMode = UniqueMode.Coalesce });
            await db.SaveChangesAsync(ct);
        }
        return new(cohort.TimeZone, time);
    }

    /// <summary>The same for what is about one member: he at least is counted now.</summary>
    public async Task<CohortClock> RefreshAsync(int cohortId, int userId, CancellationToken ct)
    {
        var cohort = await StateAsync(cohortId, ct);
        if (cohort.IsStale || cohort.IsCounting)
        {
            await CountPartAsync(cohortId, [userId], ct);
        }
        return new(cohort.TimeZone, time);
    }

    public async Task<CohortClock> ClockAsync(int cohortId, CancellationToken ct) => new((await StateAsync(cohortId, ct)).TimeZone, time);

    /// <summary>
    /// Counts all members, part by part, so that nobody who completes something waits for more than one of them. Begun anew it counts all
    /// again; whoever changes the course meanwhile marks the cohort anew.
    /// </summary>
    public async Task CountInPartsAsync(int cohortId, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync(
            $"update learning.cohorts set standings_stale = false, standings_counting = true where id = {cohortId}", ct);
        await db.Database.ExecuteSqlAsync($"""
            delete from learning.standings s where s.cohort_id = {cohortId} and not exists (
              select from learning.user_cohorts m where m.cohort_id = s.cohort_id and m.user_id = s.user_id and m.deleted_at is null);
            delete from learning.course_standings s where s.cohort_id = {cohortId} and not exists (
              select from learning.user_cohorts m where m.cohort_id = s.cohort_id and m.user_id = s.user_id and m.deleted_at is null)
            """, ct);
        int[] part;
        for (var last = 0; (part = await NextPartAsync(cohortId, last, ct)).Length > 0; last = part[^1])
        {
            await CountPartAsync(cohortId, part, ct);
        }
        await db.Database.ExecuteSqlAsync($"update learning.cohorts set standings_counting = false where id = {cohortId}", ct);
    }

    private Task<int[]> NextPartAsync(int cohortId, int last, CancellationToken ct) => db.CohortMembers
        .Where(member => member.CohortId == cohortId && member.UserId > last)
        .OrderBy(member => member.UserId).Select(member => member.UserId)
        .Take(Part).ToArrayAsync(ct);

    private async Task<CohortState> StateAsync(int cohortId, CancellationToken ct)
    {
        var trip = new RoundTrip(source);
        var states = trip.Ask(State, static row => new CohortState(
            row.GetBoolean(0), row.GetBoolean(1), row.GetString(2), row.GetInt64(3), row.GetBoolean(4)), cohortId);
        await trip.GoAsync(ct);
        return states[0];
    }

    private async Task CountAtOnceAsync(int cohortId, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Whoever waits here for another's count finds nothing left to do.
        if (await db.Database.ExecuteSqlAsync(
            $"update learning.cohorts set standings_stale = false, standings_counting = false where id = {cohortId} and standings_stale",
            ct) > 0)
        {
            await CountAsync(cohortId, [], ct);
        }
        await transaction.CommitAsync(ct);
    }

    private async Task CountPartAsync(int cohortId, int[] users, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // As TouchAsync: who counts a whole cohort at once keeps this out, and two who count the same member do so one after the other.
        await db.Database.ExecuteSqlAsync($"select from learning.cohorts where id = {cohortId} for share", ct);
        await db.Database.ExecuteSqlAsync($"""
            select from learning.user_cohorts where cohort_id = {cohortId} and user_id = any ({users}) order by user_id for no key update
            """, ct);
        await CountAsync(cohortId, users, ct);
        await transaction.CommitAsync(ct);
    }

    /// <param name="users">None for all.</param>
    private async Task CountAsync(int cohortId, int[] users, CancellationToken ct)
    {
        // Compiling the statement takes longer than it saves; reading everybody's messages to find those of a part takes longer than to
        // look each up.
        await db.Database.ExecuteSqlAsync($"set local jit = off; set local work_mem = '64MB'; set local random_page_cost = 1.1", ct);
        await db.Database.ExecuteSqlAsync($"""
            delete from learning.standings where cohort_id = {cohortId} and (cardinality({users}) = 0 or user_id = any ({users}));
            delete from learning.course_standings where cohort_id = {cohortId} and (cardinality({users}) = 0 or user_id = any ({users}))
            """, ct);
        await db.Database.ExecuteSqlRawAsync(Count, [cohortId, users, time.GetUtcNow()], ct);
    }

    /// <param name="Size">Members times tasks, where it is stale.</param>
    /// <param name="IsGivenUp">It was begun to be counted, and no job is left that will end it.</param>
    private sealed record CohortState(bool IsStale, bool IsCounting, string TimeZone, long Size, bool IsGivenUp);
}
