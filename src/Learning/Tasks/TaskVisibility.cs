using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Auth;
using Stoa.Learning.Courses;
using Stoa.Platform.Http;

namespace Stoa.Learning.Tasks;

/// <summary>Whether a member of a cohort may see a task yet: it is published, its time has come, and its module is open for him.</summary>
internal sealed class TaskVisibility(LearningDb db, TimeProvider time)
{
    /// <summary>Admins see everything of theirs.</summary>
    /// <exception cref="Failure">403: he has nothing to do with it. 404: he may not see it yet, so for him there is none.</exception>
    public async Task RequireAsync(Standing standing, int taskId, CancellationToken ct)
    {
        if (standing.IsAdmin)
        {
            return;
        }
        standing.RequireMember();
        if (!await IsVisibleAsync(standing.RequireUser(), taskId, ct))
        {
            throw Failure.NotFound("Task");
        }
    }

    private async Task<bool> IsVisibleAsync(int userId, int taskId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var ways = await db.Database.SqlQuery<Way>($"""
            select cc.is_drip_enabled, cc.frequency_value, cc.frequency_unit, cc.publish_at, uc.joined_at, (
                select count(distinct other.milestone_id)::integer
                from learning.course_tasks other
                join learning.tasks t on t.id = other.task_id and t.deleted_at is null and t.status = 'published'
                  and coalesce(t.scheduled_publish_at <= {now}, true)
                join learning.course_milestones before on before.course_id = other.course_id and before.milestone_id = other.milestone_id
                  and before.deleted_at is null and (before.ordering, before.id) < (cm.ordering, cm.id)
                where other.course_id = ct.course_id and other.deleted_at is null) as place
            from learning.course_tasks ct
            join learning.tasks own on own.id = ct.task_id and own.deleted_at is null and own.status = 'published'
              and coalesce(own.scheduled_publish_at <= {now}, true)
            join learning.courses c on c.id = ct.course_id and c.deleted_at is null
            join learning.course_milestones cm on cm.course_id = ct.course_id and cm.milestone_id = ct.milestone_id and cm.deleted_at is null
            join learning.course_cohorts cc on cc.course_id = ct.course_id and cc.deleted_at is null
            join learning.cohorts co on co.id = cc.cohort_id and co.deleted_at is null
            join learning.user_cohorts uc on uc.cohort_id = co.id and uc.user_id = {userId} and uc.deleted_at is null
            where ct.task_id = {taskId} and ct.deleted_at is null
            """).ToListAsync(ct);
        return ways.Exists(way => way.Drip.UnlockAt(way.Place, way.JoinedAt, now) is null);
    }

    /// <summary>One cohort by which he has the task.</summary>
    private sealed record Way(
        bool IsDripEnabled, int? FrequencyValue, DripUnit? FrequencyUnit, DateTimeOffset? PublishAt, DateTimeOffset JoinedAt, int Place)
    {
        public DripConfig Drip => new()
        {
            IsDripEnabled = IsDripEnabled, FrequencyValue = FrequencyValue, FrequencyUnit = FrequencyUnit, PublishAt = PublishAt,
        };
    }
}
