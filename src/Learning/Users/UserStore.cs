using System.Globalization;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Cohorts;
using Stoa.Learning.Notifications;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Learning.Users;

/// <summary>Users by id and by address; they come into being when they sign in or when somebody adds them.</summary>
internal sealed class UserStore(LearningDb db, PersonStore people, SchoolNews news, TimeProvider time)
{
    private const int MostAtOnce = 5_000;

    public Task<UserRow?> FindAsync(int id, CancellationToken ct) => db.Users.AsNoTracking().FirstOrDefaultAsync(user => user.Id == id, ct);

    /// <summary>
    /// Whom Google vouches for, made or revived when he is new; somebody who was only invited before gets the names that he gives.
    /// </summary>
    public async Task<UserRow> SignInAsync(GoogleIdentity google, string givenName, string? familyName, CancellationToken ct)
    {
        var person =
            await PersonAsync(google.GivenName is null ? google with { GivenName = givenName, FamilyName = familyName } : google, ct);
        var email = Key(google.Email);
        await AddAsync([email], ct);
        var user = await db.Users.IgnoreQueryFilters().SingleAsync(row => row.Email == email, ct);
        var isBack = user.DeletedAt is not null;
        if (isBack)
        {
            (user.DeletedAt, user.DefaultDpColor) = (null, Color());
        }
        if (isBack || user.FirstName is null)
        {
            var names = givenName.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            user.FirstName = names.Length > 0 ? names[0] : "";
            user.MiddleName = names.Length > 1 ? string.Join(' ', names[1..]) : null;
            user.LastName = familyName;
        }
        user.PersonId ??= person?.Id;
        await db.SaveChangesAsync(ct);
        return user;
    }

    /// <summary>The users of these addresses, made or revived where they are new; in the order of their ids.</summary>
    /// <exception cref="Failure">422: one is no address.</exception>
    public async Task<List<UserRow>> EnsureAsync(IReadOnlyList<string> emails, CancellationToken ct)
    {
        if (emails.Count > MostAtOnce)
        {
            throw WireErrors.Value($"at most {MostAtOnce} at once", "emails");
        }
        foreach (var (index, email) in emails.Index())
        {
            if (!EmailAddress.TryRead(email, out _))
            {
                throw WireErrors.Value("this is no e-mail address", "emails", index);
            }
        }
        var keys = emails.Select(Key).Distinct(StringComparer.Ordinal).ToList();
        await AddAsync(keys, ct);
        var users = await db.Users.IgnoreQueryFilters().Where(user => keys.Contains(user.Email)).OrderBy(user => user.Id).ToListAsync(ct);
        foreach (var gone in users.Where(user => user.DeletedAt is not null))
        {
            (gone.DeletedAt, gone.DefaultDpColor) = (null, Color());
        }
        await db.SaveChangesAsync(ct);
        return users;
    }

    public async Task<UserRow> UpdateAsync(int id, string first, string middle, string last, string color, CancellationToken ct)
    {
        var user = await db.Users.FirstOrDefaultAsync(row => row.Id == id, ct) ?? throw Failure.NotFound("User");
        (user.FirstName, user.MiddleName, user.LastName, user.DefaultDpColor) = (first, middle, last, color);
        await db.SaveChangesAsync(ct);
        return user;
    }

    public Task<List<UserCohortRow>> CohortsAsync(int userId, CancellationToken ct) =>
        (from member in db.CohortMembers
         where member.UserId == userId
         join cohort in db.Cohorts on member.CohortId equals cohort.Id
         join organization in db.Organizations on cohort.OrgId equals organization.Id
         orderby member.Id
         select new UserCohortRow(cohort.Id, cohort.Name, organization.Id, organization.Name, member.Role)).ToListAsync(ct);

    public Task<List<UserOrganization>> OrganizationsAsync(int userId, CancellationToken ct) =>
        (from member in db.OrganizationMembers
         where member.UserId == userId
         join organization in db.Organizations on member.OrgId equals organization.Id
         orderby member.Id descending
         select new UserOrganization(organization.Id, organization.Name, member.Role)).ToListAsync(ct);

    public async Task<List<UserCohort>> CohortsAsync(int userId, int orgId, CancellationToken ct)
    {
        var cohorts = await (
            from member in db.CohortMembers
            where member.UserId == userId
            join cohort in db.Cohorts on member.CohortId equals cohort.Id
            where cohort.OrgId == orgId
            orderby member.Id
            select new { cohort.Id, cohort.Name, member.Role, member.JoinedAt }).ToListAsync(ct);
        var mentored = cohorts.Where(cohort => cohort.Role == CohortRole.Mentor).Select(cohort => cohort.Id).ToList();
        var batches = mentored.Count == 0 ? [] : await (
            from member in db.BatchMembers
            where member.UserId == userId
            join batch in db.Batches on member.BatchId equals batch.Id
            where mentored.Contains(batch.CohortId)
            orderby batch.Id descending
            select new { batch.CohortId, batch.Id, batch.Name }).ToListAsync(ct);
        return cohorts.ConvertAll(cohort => new UserCohort(cohort.Id, cohort.Name, cohort.Role, cohort.JoinedAt,
            [.. batches.Where(batch => batch.CohortId == cohort.Id).Select(batch => new UserBatch(batch.Id, batch.Name))]));
    }

    /// <summary>
    /// The courses of his cohorts, of several the last one's role, and then all of the organizations that he administers, newest first;
    /// there he is admin also of those that a cohort gave him.
    /// </summary>
    public async Task<List<UserCourse>> CoursesAsync(int userId, CancellationToken ct)
    {
        var rows = await db.Database.SqlQuery<UserCourseRow>($"""
            select c.id, c.name, uc.role, o.id as org_id, o.name as org_name, o.slug as org_slug, co.id as cohort_id
            from learning.user_cohorts uc
            join learning.cohorts co on co.id = uc.cohort_id and co.deleted_at is null
            join learning.course_cohorts cc on cc.cohort_id = co.id and cc.deleted_at is null
            join learning.courses c on c.id = cc.course_id and c.deleted_at is null
            join learning.organizations o on o.id = c.org_id and o.deleted_at is null
            where uc.user_id = {userId} and uc.deleted_at is null
            order by uc.id, cc.id
            """).ToListAsync(ct);
        rows.AddRange(await db.Database.SqlQuery<UserCourseRow>($"""
            select c.id, c.name, 'admin' as role, o.id as org_id, o.name as org_name, o.slug as org_slug, null::integer as cohort_id
            from learning.user_organizations uo
            join learning.organizations o on o.id = uo.org_id and o.deleted_at is null
            join learning.courses c on c.org_id = o.id and c.deleted_at is null
            where uo.user_id = {userId} and uo.deleted_at is null
            order by uo.id desc, c.id desc
            """).ToListAsync(ct));
        // A later row takes the place of an earlier one of the same course.
        var courses = new Dictionary<int, UserCourse>();
        foreach (var row in rows)
        {
            courses[row.Id] = new(row.Id, row.Name, row.Role, new(row.OrgId, row.OrgName, row.OrgSlug), row.CohortId);
        }
        return [.. courses.Values];
    }

    /// <summary>A live member of the cohort, or an admin of its organization.</summary>
    public async Task<bool> IsPresentAsync(int userId, int cohortId, CancellationToken ct) =>
        await db.CohortMembers.AnyAsync(member => member.UserId == userId && member.CohortId == cohortId
            && db.Cohorts.Any(cohort => cohort.Id == cohortId), ct)
        || await db.Cohorts.AnyAsync(cohort => cohort.Id == cohortId
            && db.OrganizationMembers.Any(member => member.OrgId == cohort.OrgId && member.UserId == userId), ct);

    public static string Key(string email) => EmailAddress.KeyOf(email.Trim());

    /// <summary>Those that are not there, in their order; two who add the same one at once make one of him.</summary>
    private async Task AddAsync(List<string> keys, CancellationToken ct)
    {
        var known = await db.Users.IgnoreQueryFilters().Where(user => keys.Contains(user.Email)).Select(user => user.Email).ToListAsync(ct);
        var made = keys.Except(known, StringComparer.Ordinal).ToArray();
        if (made.Length == 0)
        {
            return;
        }
        await using var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(ct) : null;
        var ids = await db.Database.SqlQuery<int>($"""
            insert into learning.users (email, default_dp_color, created_at)
            select email, color, {time.GetUtcNow()}
            from unnest({made}, {Array.ConvertAll(made, _ => Color())}) with ordinality as one (email, color, place)
            order by place
            on conflict (email) do nothing
            returning id
            """).ToListAsync(ct);
        await news.TellAsync(db, ids.Select(TellSlack.UserCreated), ct);
        if (transaction is not null)
        {
            await transaction.CommitAsync(ct);
        }
    }

    /// <summary>The platform's person of the same account. Null where another claims his address: he learns here all the same.</summary>
    private async Task<Person?> PersonAsync(GoogleIdentity google, CancellationToken ct)
    {
        Person? person;
        try
        {
            person = await people.FindOrCreateAsync(
                new("google", google.Subject, google.Email, IsEmailVerified: true, $"{google.GivenName} {google.FamilyName}".Trim()),
                mayCreate: true, ct);
        }
        catch (Failure taken) when (taken.Kind == FailureKind.Conflict)
        {
            person = await people.FindByEmailAsync(google.Email, ct);
            return person is { State: not PersonState.Active } ? throw Suspended() : null;
        }
        return person is { State: not PersonState.Active }
            ? throw Suspended()
            : person;
    }

    private static Failure Suspended() => new(FailureKind.Forbidden, "suspended", "Forbidden");

    /// <summary>Any hue, neither pale nor dark.</summary>
    private static string Color()
    {
        var (hue, saturation, value) = (Share(0, 6), Share(0.3, 0.9), Share(0.4, 1));
        // HSV to RGB: each channel is the value less what the hue's distance takes of the saturation.
        return string.Create(CultureInfo.InvariantCulture, $"#{Channel(5):x2}{Channel(3):x2}{Channel(1):x2}");

        int Channel(int turn)
        {
            var distance = (turn + hue) % 6;
            return (int)Math.Round(255 * value * (1 - (saturation * Math.Clamp(Math.Min(distance, 4 - distance), 0, 1))));
        }

        static double Share(double from, double to) => from + ((to - from) * RandomNumberGenerator.GetInt32(1_000) / 1_000);
    }

    private sealed record UserCourseRow(int Id, string Name, string Role, int OrgId, string OrgName, string OrgSlug, int? CohortId);
}
