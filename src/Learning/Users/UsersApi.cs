using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Progress;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Users;

/// <summary>What somebody reads about himself, and what those who teach him read.</summary>
internal static class UsersApi
{
    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/users").WithTags("users");
        users.MapGet("/{user_id}", GetAsync).RequireLearner(allowService: true).WithSummary("Read a user");
        users.MapPut("/{user_id}", UpdateAsync).RequireLearner().WithSummary("Change one's names and colour");
        users.MapGet("/{user_id}/cohorts", CohortsAsync).RequireLearner().WithSummary("List one's cohorts");
        users.MapGet("/{user_id}/activity/{year}", ActivityAsync).RequireLearner()
            .WithSummary("Count one's messages on each day of a year");
        users.MapGet("/{user_id}/active_days", ActiveDaysAsync).RequireLearner().WithSummary("List the last days with activity");
        users.MapGet("/{user_id}/streak", StreakAsync).RequireLearner().WithSummary("Count the days of activity in a row");
        users.MapGet("/{user_id}/cohort/{cohort_id}/present", PresentAsync)
            .RequireLearner().WithSummary("Say whether a user is in a cohort");
        users.MapGet("/{user_id}/courses", CoursesAsync).RequireLearner().WithSummary("List one's courses");
        users.MapGet("/{user_id}/org/{org_id}/cohorts", OrganizationCohortsAsync)
            .RequireLearner().WithSummary("List a user's cohorts of a school");
        users.MapGet("/{user_id}/orgs", OrganizationsAsync).RequireLearner().WithSummary("List one's schools");
    }

    internal static async Task<Ok<UserView>> GetAsync(
        [FromRoute(Name = "user_id")] int userId, Access access, UserStore users, CancellationToken ct)
    {
        var user = await access.UserAsync(userId, ct);
        user.Require(user.IsService || user.IsSelf(userId) || user.IsAdmin || user.IsMentor);
        return TypedResults.Ok(UserView.Of(await users.FindAsync(userId, ct) ?? throw Failure.NotFound("User")));
    }

    internal static async Task<Ok<UserView>> UpdateAsync(
        [FromRoute(Name = "user_id")] int userId, [FromQuery(Name = "first_name")] string firstName,
        [FromQuery(Name = "middle_name")] string middleName, [FromQuery(Name = "last_name")] string lastName,
        [FromQuery(Name = "default_dp_color")] string color, Access access, UserStore users, CancellationToken ct)
    {
        (await access.UserAsync(userId, ct)).RequireSelf(userId);
        return TypedResults.Ok(UserView.Of(await users.UpdateAsync(userId, firstName, middleName, lastName, color, ct)));
    }

    internal static async Task<Ok<List<UserCohortRow>>> CohortsAsync(
        [FromRoute(Name = "user_id")] int userId, Access access, UserStore users, CancellationToken ct)
    {
        (await access.CallerAsync(ct)).RequireSelf(userId);
        return TypedResults.Ok(await users.CohortsAsync(userId, ct));
    }

    internal static async Task<Ok<int[]>> ActivityAsync(
        [FromRoute(Name = "user_id")] int userId, [FromRoute] int year, Access access, Activity activity, CancellationToken ct)
    {
        (await access.CallerAsync(ct)).RequireSelf(userId);
        return year is >= 1970 and <= 9000
            ? TypedResults.Ok(await activity.YearAsync(userId, year, ct))
            : throw Refusal.BadRequest("There is no activity in that year");
    }

    internal static async Task<Ok<List<DateOnly>>> ActiveDaysAsync(
        [FromRoute(Name = "user_id")] int userId, [FromQuery] int days, [FromQuery(Name = "cohort_id")] int cohortId, Access access,
        Activity activity, CancellationToken ct)
    {
        (await access.CohortAsync(cohortId, with: userId, ct)).RequireSelfOrStaff(userId);
        return TypedResults.Ok(await activity.DaysAsync(userId, cohortId, days, ct));
    }

    internal static async Task<Ok<StreakView>> StreakAsync(
        [FromRoute(Name = "user_id")] int userId, [FromQuery(Name = "cohort_id")] int cohortId,
        Access access, Activity activity, CancellationToken ct)
    {
        (await access.CohortAsync(cohortId, with: userId, ct)).RequireSelfOrStaff(userId);
        return TypedResults.Ok(await activity.StreakAsync(userId, cohortId, ct));
    }

    internal static async Task<Ok<bool>> PresentAsync(
        [FromRoute(Name = "user_id")] int userId, [FromRoute(Name = "cohort_id")] int cohortId,
        Access access, UserStore users, CancellationToken ct)
    {
        // Whether there is such a cohort is the answer itself.
        var caller = await access.CallerAsync(ct);
        if (!caller.IsSelf(userId))
        {
            (await access.CohortAsync(cohortId, ct)).RequireStaff();
        }
        return TypedResults.Ok(await users.IsPresentAsync(userId, cohortId, ct));
    }

    internal static async Task<Ok<List<UserCourse>>> CoursesAsync(
        [FromRoute(Name = "user_id")] int userId, Access access, UserStore users, CancellationToken ct)
    {
        (await access.CallerAsync(ct)).RequireSelf(userId);
        return TypedResults.Ok(await users.CoursesAsync(userId, ct));
    }

    internal static async Task<Ok<List<UserCohort>>> OrganizationCohortsAsync(
        [FromRoute(Name = "user_id")] int userId, [FromRoute(Name = "org_id")] int orgId,
        Access access, UserStore users, CancellationToken ct)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireSelfOrAdmin(userId);
        return TypedResults.Ok(await users.CohortsAsync(userId, orgId, ct));
    }

    internal static async Task<Ok<List<UserOrganization>>> OrganizationsAsync(
        [FromRoute(Name = "user_id")] int userId, Access access, UserStore users, CancellationToken ct)
    {
        (await access.CallerAsync(ct)).RequireSelf(userId);
        return TypedResults.Ok(await users.OrganizationsAsync(userId, ct));
    }
}
