using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Progress;
using Stoa.Learning.Wire;
using Stoa.Platform.Data;

namespace Stoa.Learning.Courses;

/// <summary>A course of a cohort, or a cohort of a course.</summary>
internal sealed record LinkView(int Id, string Name, DripConfig DripConfig);

/// <summary>Which cohorts take which courses.</summary>
internal sealed class CourseLinks(LearningDb db, Standings standings, TimeProvider time)
{
    public async Task<List<LinkView>> CoursesAsync(int cohortId, CancellationToken ct)
    {
        var rows = await (
            from link in db.CourseCohorts.AsNoTracking()
            where link.CohortId == cohortId
            join course in db.Courses on link.CourseId equals course.Id
            orderby link.Id
            select new { link, course.Name }).ToListAsync(ct);
        return rows.ConvertAll(row => new LinkView(row.link.CourseId, row.Name, CourseTrees.Config(row.link)));
    }

    public async Task<List<LinkView>> CohortsAsync(int courseId, CancellationToken ct)
    {
        var rows = await (
            from link in db.CourseCohorts.AsNoTracking()
            where link.CourseId == courseId
            join cohort in db.Cohorts on link.CohortId equals cohort.Id
            orderby link.Id
            select new { link, cohort.Name }).ToListAsync(ct);
        return rows.ConvertAll(row => new LinkView(row.link.CohortId, row.Name, CourseTrees.Config(row.link)));
    }

    /// <summary>All courses for all cohorts; what is linked already gets the new drip. Both sides must be the organization's own.</summary>
    /// <exception cref="Stoa.Platform.Http.Failure">400.</exception>
    public async Task LinkAsync(
        int orgId, IReadOnlyList<int> courseIds, IReadOnlyList<int> cohortIds, DripConfig drip, CancellationToken ct)
    {
        var (courses, cohorts) = (courseIds.Distinct().ToArray(), cohortIds.Distinct().ToArray());
        if (await db.Courses.CountAsync(course => course.OrgId == orgId && courses.Contains(course.Id), ct) != courses.Length)
        {
            throw Refusal.BadRequest("One or more courses do not belong to the organization");
        }
        if (await db.Cohorts.CountAsync(cohort => cohort.OrgId == orgId && cohorts.Contains(cohort.Id), ct) != cohorts.Length)
        {
            throw Refusal.BadRequest("One or more cohorts do not belong to the organization");
        }
        var unit = drip.FrequencyUnit is { } given ? EnumNames<DripUnit>.Write(given) : null;
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"""
            insert into learning.course_cohorts (course_id, cohort_id, is_drip_enabled, frequency_value, frequency_unit, publish_at)
            select course_id, cohort_id, {drip.IsDripEnabled}, {drip.FrequencyValue}::integer, {unit}::text, {drip.PublishAt}::timestamptz
            from unnest({courses}) as course_id cross join unnest({cohorts}) as cohort_id
            on conflict (course_id, cohort_id) do update set is_drip_enabled = excluded.is_drip_enabled, deleted_at = null,
              frequency_value = excluded.frequency_value, frequency_unit = excluded.frequency_unit, publish_at = excluded.publish_at
            """, ct);
        await standings.MarkStaleAsync(cohorts, ct);
        await transaction.CommitAsync(ct);
    }

    public async Task UnlinkAsync(IReadOnlyList<int> courseIds, IReadOnlyList<int> cohortIds, CancellationToken ct)
    {
        var (courses, cohorts) = (courseIds.ToArray(), cohortIds.ToArray());
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"""
            update learning.course_cohorts set deleted_at = {time.GetUtcNow()}
            where course_id = any ({courses}) and cohort_id = any ({cohorts}) and deleted_at is null
            """, ct);
        await standings.MarkStaleAsync(cohorts, ct);
        await transaction.CommitAsync(ct);
    }
}
