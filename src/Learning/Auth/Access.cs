using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Learning.Auth;

/// <summary>
/// What the caller is to the thing that a route is about, in one query for both; the route then says what he must be. A handler takes it as
/// a parameter; the route says <c>RequireLearner</c>.
/// </summary>
internal sealed class Access(LearningCaller caller, LearningDb db, NpgsqlDataSource source)
{
    // $1 and $2: the caller's id (0 where only his address is known) and address. $3: the thing. Target and cohorts depend on its kind.
    private const string Frame = """
        select u.id as user_id, u.email, target.org_id as organization_id, coalesce(m.role in ('owner', 'admin'), false) as is_admin,
          coalesce(c.is_mentor, false) as is_mentor, coalesce(c.is_learner, false) as is_learner, c.joined_at,
          exists (select from platform.memberships p where p.person_id = u.person_id and p.role in ('owner', 'admin')
            and p.organization_id = '00000000-0000-7000-8000-000000000001') as is_operator
        from (select 1) as one
        left join (
          select u.id, u.email, u.person_id from learning.users u
          where u.deleted_at is null and u.email = $2 and ($1 = 0 or u.id = $1) and not exists (
            select from platform.people p
              where (p.id = u.person_id or (u.person_id is null and p.email_key = u.email)) and p.state <> 'active')) u on true
        left join lateral (
        """;

    private const string Roles = """
        ) target on true
        left join learning.user_organizations m on m.org_id = target.org_id and m.user_id = u.id and m.deleted_at is null
        left join lateral (
          select bool_or(uc.role = 'mentor') as is_mentor, bool_or(uc.role = 'learner') as is_learner, min(uc.joined_at) as joined_at
          from learning.user_cohorts uc join learning.cohorts co on co.id = uc.cohort_id and co.deleted_at is null
          where uc.user_id = u.id and uc.deleted_at is null and uc.cohort_id in (
        """;

    private const string End = ")) c on true";

    // $4: somebody else.
    private const string Shared =
        " and cohort_id in (select cohort_id from learning.user_cohorts where user_id = $4 and deleted_at is null)";

    private const string OfCourse = "select cohort_id from learning.course_cohorts where course_id = $3 and deleted_at is null";

    private const string OfTask = """
        select cc.cohort_id from learning.course_tasks ct
        join learning.course_cohorts cc on cc.course_id = ct.course_id and cc.deleted_at is null
        join learning.courses course on course.id = ct.course_id and course.deleted_at is null
        where ct.deleted_at is null and ct.task_id =
        """;

    private const string AboutCourse = $"{Frame}select org_id from learning.courses where id = $3 and deleted_at is null{Roles}{OfCourse}";
    private const string AboutTask = $"{Frame}select org_id from learning.tasks where id = $3 and deleted_at is null{Roles}{OfTask} $3";
    private const string AboutCohort =
        $"{Frame}select org_id from learning.cohorts where id = $3 and deleted_at is null{Roles}select $3{End}";
    private const string InNoCohort = "select 0";

    public static ValueTask<Access?> BindAsync(HttpContext context) => ValueTask.FromResult<Access?>(Of(
        context.Features.Get<LearningCaller>() ?? throw new InvalidOperationException("The route takes an access but requires no caller"),
        context.RequestServices));

    public static Access Of(LearningCaller caller, IServiceProvider services) =>
        new(caller, services.GetRequiredService<LearningDb>(), services.GetRequiredService<NpgsqlDataSource>());

    /// <summary>Who calls, about nothing in particular.</summary>
    /// <exception cref="Failure">401: nobody has this id and this address.</exception>
    public async Task<Standing> CallerAsync(CancellationToken ct)
    {
        var trip = new RoundTrip(source);
        var rows = Ask(trip, $"{Frame}select null::integer as org_id{Roles}{InNoCohort}{End}", id: 0);
        await trip.GoAsync(ct);
        return Known(rows[0]);
    }

    /// <exception cref="Failure">401, or 404 <c>Organization not found</c>.</exception>
    public async Task<Standing> OrganizationAsync(int id, CancellationToken ct) =>
        await TryOrganizationAsync(id, ct) ?? throw Failure.NotFound("Organization");

    /// <summary>Null where there is no such organization.</summary>
    public Task<Standing?> TryOrganizationAsync(int id, CancellationToken ct) => TryAsync(
        $"""
        {Frame}select id as org_id from learning.organizations where id = $3 and deleted_at is null
        {Roles}select id from learning.cohorts where org_id = $3 and deleted_at is null{End}
        """, id, ct);

    public async Task<Standing> CohortAsync(int id, CancellationToken ct) =>
        await TryCohortAsync(id, ct) ?? throw Failure.NotFound("Cohort");

    public Task<Standing?> TryCohortAsync(int id, CancellationToken ct) => TryAsync(AboutCohort, id, ct);

    /// <summary>
    /// A role counts only where somebody else is in the cohort too: what he does in another one is not this one's to know.
    /// </summary>
    public Task<Standing> CohortAsync(int id, int with, CancellationToken ct) => FindAsync("Cohort",
        $"""
        {Frame}select org_id from learning.cohorts where id = $3 and deleted_at is null
        {Roles}select cohort_id from learning.user_cohorts where cohort_id = $3 and user_id = $4 and deleted_at is null{End}
        """, id, ct, with);

    /// <summary>The same as without the other, asked along with other things: told once the round trip is made.</summary>
    public Func<Standing> CohortWith(RoundTrip trip, int id) => With(trip, "Cohort", AboutCohort, id);

    /// <summary>A mentor is one here when he is in the batch himself.</summary>
    public Task<Standing> BatchAsync(int id, CancellationToken ct) => FindAsync("Batch",
        $"""
        {Frame}
        select co.org_id from learning.batches b join learning.cohorts co on co.id = b.cohort_id and co.deleted_at is null
        where b.id = $3 and b.deleted_at is null
        {Roles}
        select b.cohort_id from learning.batches b join learning.user_batches ub on ub.batch_id = b.id and ub.deleted_at is null
        where b.id = $3 and ub.user_id = u.id{End}
        """, id, ct);

    /// <summary>Roles are those in any cohort that takes the course.</summary>
    public Task<Standing> CourseAsync(int id, CancellationToken ct) => FindAsync("Course", AboutCourse + End, id, ct);

    /// <inheritdoc cref="CohortWith"/>
    public Func<Standing> CourseWith(RoundTrip trip, int id) => With(trip, "Course", AboutCourse + End, id);

    /// <summary>Roles are those in cohorts that take the course and that somebody else is in too.</summary>
    public Task<Standing> CourseAsync(int id, int with, CancellationToken ct) =>
        FindAsync("Course", AboutCourse + Shared + End, id, ct, with);

    public Task<Standing> MilestoneAsync(int id, CancellationToken ct) => FindAsync("Milestone",
        $"{Frame}select org_id from learning.milestones where id = $3 and deleted_at is null{Roles}{InNoCohort}{End}", id, ct);

    /// <summary>
    /// Roles are those in any cohort that takes a course with the task. Whether a learner may see it yet is another question.
    /// </summary>
    public async Task<Standing> TaskAsync(int id, CancellationToken ct) =>
        await TryTaskAsync(id, ct) ?? throw Failure.NotFound("Task");

    /// <inheritdoc cref="CohortWith"/>
    public Func<Standing> TaskWith(RoundTrip trip, int id) => With(trip, "Task", AboutTask + End, id);

    /// <summary>Roles are those in cohorts that take a course with the task and that somebody else is in too.</summary>
    public Task<Standing> TaskAsync(int id, int with, CancellationToken ct) => FindAsync("Task", AboutTask + Shared + End, id, ct, with);

    /// <summary>Null where there is no such task.</summary>
    public Task<Standing?> TryTaskAsync(int id, CancellationToken ct) => TryAsync(AboutTask + End, id, ct);

    public Task<Standing> QuestionAsync(int id, CancellationToken ct) => FindAsync("Question",
        $"""
        {Frame}
        select t.org_id from learning.questions q join learning.tasks t on t.id = q.task_id and t.deleted_at is null
        where q.id = $3 and q.deleted_at is null
        {Roles}{OfTask} (select task_id from learning.questions where id = $3){End}
        """, id, ct);

    public Task<Standing> ScorecardAsync(int id, CancellationToken ct) => FindAsync("Scorecard",
        $"{Frame}select org_id from learning.scorecards where id = $3 and deleted_at is null{Roles}{InNoCohort}{End}", id, ct);

    /// <summary>
    /// Of somebody: an admin is one where the other is a member or in a cohort, a mentor one in whose cohort the other is.
    /// </summary>
    public Task<Standing> UserAsync(int id, CancellationToken ct) => FindAsync("User",
        $"""
        {Frame}
        select coalesce((
          select mine.org_id from learning.user_organizations mine
          where mine.user_id = u.id and mine.deleted_at is null and (
            exists (select from learning.user_organizations his where his.org_id = mine.org_id and his.user_id = $3 and his.deleted_at is null)
            or exists (select from learning.user_cohorts his join learning.cohorts co on co.id = his.cohort_id and co.deleted_at is null
              where co.org_id = mine.org_id and his.user_id = $3 and his.deleted_at is null))
          limit 1), 0) as org_id
        from learning.users where id = $3 and deleted_at is null
        {Roles}select cohort_id from learning.user_cohorts where user_id = $3 and deleted_at is null{End}
        """, id, ct);

    /// <summary>Where the caller is owner or admin; everywhere in the mode Open.</summary>
    public async Task<int[]> AdministeredAsync(CancellationToken ct)
    {
        var self = await CallerAsync(ct);
        return self.IsOpen
            ? await db.Organizations.Select(organization => organization.Id).ToArrayAsync(ct)
            : await db.OrganizationMembers.Where(member => member.UserId == self.UserId).Select(member => member.OrgId).ToArrayAsync(ct);
    }

    private async Task<Standing> FindAsync(string what, string sql, int id, CancellationToken ct, int? with = null) =>
        await TryAsync(sql, id, ct, with) ?? throw Failure.NotFound(what);

    private async Task<Standing?> TryAsync(string sql, int id, CancellationToken ct, int? with = null)
    {
        var trip = new RoundTrip(source);
        var rows = Ask(trip, sql, id, with);
        await trip.GoAsync(ct);
        return Known(rows[0]) is { OrganizationId: not null } standing ? standing : null;
    }

    private Func<Standing> With(RoundTrip trip, string what, string sql, int id)
    {
        var rows = Ask(trip, sql, id);
        return () => Known(rows[0]) is { OrganizationId: not null } standing ? standing : throw Failure.NotFound(what);
    }

    private List<StandingRow> Ask(RoundTrip trip, string sql, int id, int? with = null) => with is { } other
        ? trip.Ask(sql, Row, caller.UserId ?? 0, caller.Email ?? "", id, other)
        : trip.Ask(sql, Row, caller.UserId ?? 0, caller.Email ?? "", id);

    private static StandingRow Row(NpgsqlDataReader row) => new(
        row.Int32OrNull(0), row.StringOrNull(1), row.Int32OrNull(2),
        row.GetBoolean(3), row.GetBoolean(4), row.GetBoolean(5), row.InstantOrNull(6),
        row.GetBoolean(7));

    private Standing Known(StandingRow row) => caller.Proof is LearningProof.Service or LearningProof.None || row.UserId is not null
        ? new(row, caller.Proof)
        : throw new Failure(FailureKind.Unauthenticated, "unauthenticated", "Not authenticated");
}

/// <param name="UserId">Null where nobody has the caller's id and address.</param>
/// <param name="OrganizationId">Whose the thing is; null where there is none.</param>
/// <param name="JoinedAt">When he became a member of the first of the cohorts that give him a role.</param>
internal sealed record StandingRow(
    int? UserId, string? Email, int? OrganizationId, bool IsAdmin,
    bool IsMentor, bool IsLearner, DateTimeOffset? JoinedAt, bool IsOperator);
