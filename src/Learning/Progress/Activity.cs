using Microsoft.EntityFrameworkCore;

namespace Stoa.Learning.Progress;

/// <summary>On which days somebody has done something.</summary>
internal sealed class Activity(LearningDb db, Standings standings, TimeProvider time)
{
    /// <summary>Also the days of nobody's cohort count by this clock.</summary>
    private const string DefaultZone = "Asia/Kolkata";

    // What the streak sits in the middle of, as the front end shows it.
    private const int StreakWindow = 3;

    /// <summary>The days of activity in the cohort that are at most this many days ago, oldest first.</summary>
    public async Task<List<DateOnly>> DaysAsync(int userId, int cohortId, int days, CancellationToken ct)
    {
        var clock = await standings.ClockAsync(cohortId, ct);
        return await DaysSinceAsync(userId, cohortId, clock, days, ct);
    }

    public async Task<StreakView> StreakAsync(int userId, int cohortId, CancellationToken ct)
    {
        var clock = await standings.RefreshAsync(cohortId, userId, ct);
        var yesterday = clock.Today.AddDays(-1);
        var streak = await db.Database.SqlQuery<int>($"""
            select streak_days as "Value" from learning.standings
            where cohort_id = {cohortId} and user_id = {userId} and streak_end >= {yesterday}
            """).ToListAsync(ct);
        return new(streak is [var count] ? count : 0, await DaysSinceAsync(userId, cohortId, clock, StreakWindow, ct));
    }

    /// <summary>The user's own messages on each day of a year.</summary>
    public async Task<int[]> YearAsync(int userId, int year, CancellationToken ct)
    {
        var clock = new CohortClock(DefaultZone, time);
        var first = new DateOnly(year, 1, 1);
        var counts = new int[DateTime.IsLeapYear(year) ? 366 : 365];
        var (from, to) = (clock.StartOf(first), clock.StartOf(new DateOnly(year, 12, 31)).AddDays(1));
        var rows = await db.Database.SqlQuery<DayCount>($"""
            select extract(doy from created_at at time zone {clock.TimeZone})::integer as day, count(*)::integer as count
            from learning.chat_history
            where user_id = {userId} and role = 'user' and deleted_at is null and created_at >= {from} and created_at < {to}
            group by day
            """).ToListAsync(ct);
        foreach (var row in rows)
        {
            counts[row.Day - 1] = row.Count;
        }
        return counts;
    }

    private Task<List<DateOnly>> DaysSinceAsync(int userId, int cohortId, CohortClock clock, int days, CancellationToken ct)
    {
        var since = clock.StartOf(clock.Today.AddDays(-Math.Clamp(days, 0, 3660)));
        return db.Database.SqlQuery<DateOnly>($"""
            with taken as (
              select distinct ct.task_id from learning.course_cohorts cc
              join learning.courses c on c.id = cc.course_id and c.deleted_at is null
              join learning.course_tasks ct on ct.course_id = cc.course_id and ct.deleted_at is null
              join learning.tasks t on t.id = ct.task_id and t.deleted_at is null
              where cc.cohort_id = {cohortId} and cc.deleted_at is null
            )
            select distinct (acts.created_at at time zone {clock.TimeZone})::date as "Value" from (
              select h.created_at, coalesce(h.task_id, q.task_id) as task_id
              from learning.chat_history h left join learning.questions q on q.id = h.question_id
              where h.user_id = {userId} and h.created_at >= {since} and h.deleted_at is null and q.deleted_at is null
              union all
              select c.created_at, coalesce(c.task_id, q.task_id)
              from learning.task_completions c left join learning.questions q on q.id = c.question_id
              where c.user_id = {userId} and c.created_at >= {since} and c.deleted_at is null and q.deleted_at is null) acts
            join taken using (task_id) order by 1
            """).ToListAsync(ct);
    }

    private sealed record DayCount(int Day, int Count);
}

/// <summary>How many days in a row, up to today or yesterday, and which of the last days are among them.</summary>
internal sealed record StreakView(int StreakCount, IReadOnlyList<DateOnly> ActiveDays);
