using Npgsql;
using Stoa.Learning.Auth;
using Stoa.Learning.Courses;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Learning.Tasks;

/// <summary>Whether a member of a cohort may see a task yet: it is published, its time has come, and its module is open for him.</summary>
internal sealed class TaskVisibility(NpgsqlDataSource source, TimeProvider time)
{
    // $1: the user. $2: the task. $3: now. A row for each cohort by which he has it.
    private const string Ways = """
        select uc.joined_at, cc.is_drip_enabled, cc.frequency_value, cc.frequency_unit, cc.publish_at, case when cc.is_drip_enabled then (
            select count(distinct other.milestone_id)::integer
            from learning.course_tasks other
            join learning.tasks t on t.id = other.task_id and t.deleted_at is null and t.status = 'published'
              and coalesce(t.scheduled_publish_at <= $3, true)
            join learning.course_milestones before on before.course_id = other.course_id and before.milestone_id = other.milestone_id
              and before.deleted_at is null and (before.ordering, before.id) < (cm.ordering, cm.id)
            where other.course_id = ct.course_id and other.deleted_at is null) else 0 end as place
        from learning.course_tasks ct
        join learning.tasks own on own.id = ct.task_id and own.deleted_at is null and own.status = 'published'
          and coalesce(own.scheduled_publish_at <= $3, true)
        join learning.courses c on c.id = ct.course_id and c.deleted_at is null
        join learning.course_milestones cm on cm.course_id = ct.course_id and cm.milestone_id = ct.milestone_id and cm.deleted_at is null
        join learning.course_cohorts cc on cc.course_id = ct.course_id and cc.deleted_at is null
        join learning.cohorts co on co.id = cc.cohort_id and co.deleted_at is null
        join learning.user_cohorts uc on uc.cohort_id = co.id and uc.user_id = $1 and uc.deleted_at is null
        where ct.task_id = $2 and ct.deleted_at is null
        """;

    /// <summary>Admins see everything of theirs.</summary>
    /// <exception cref="Failure">403: he has nothing to do with it. 404: he may not see it yet, so for him there is none.</exception>
    public async Task RequireAsync(Standing standing, int taskId, CancellationToken ct)
    {
        if (standing.IsAdmin)
        {
            return;
        }
        standing.RequireMember();
        var trip = new RoundTrip(source);
        var isVisible = IsVisibleWith(trip, standing.RequireUser(), taskId);
        await trip.GoAsync(ct);
        Require(standing, isVisible);
    }

    /// <summary>The same, for what was asked along with other things.</summary>
    public static void Require(Standing standing, Func<bool> isVisible)
    {
        if (standing.IsAdmin)
        {
            return;
        }
        standing.RequireMember();
        if (!isVisible())
        {
            throw Failure.NotFound("Task");
        }
    }

    /// <summary>Told once the round trip is made.</summary>
    public Func<bool> IsVisibleWith(RoundTrip trip, int userId, int taskId)
    {
        var now = time.GetUtcNow();
        var ways = trip.Ask(
            Ways, static row => (JoinedAt: row.Instant(0), Drip: CourseTrees.DripAt(row, column: 1), Place: row.GetInt32(5)),
            userId, taskId, now);
        return () => ways.Exists(way => way.Drip.UnlockAt(way.Place, way.JoinedAt, now) is null);
    }
}
