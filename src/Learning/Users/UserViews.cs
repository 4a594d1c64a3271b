using System.Text.Json.Serialization;
using Stoa.Learning.Cohorts;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Users;

/// <summary>A user as the wire shows him.</summary>
internal record UserView(
    int Id, string Email, string? FirstName, string? MiddleName, string? LastName, string? DefaultDpColor,
    [property: JsonConverter(typeof(WireDatabaseInstant))] DateTimeOffset CreatedAt)
{
    public static UserView Of(UserRow row) =>
        new(row.Id, row.Email, row.FirstName, row.MiddleName, row.LastName, row.DefaultDpColor, row.CreatedAt);
}

/// <summary>The answer to a sign-in: the user, and for clients without the front end's session a token of ours.</summary>
internal sealed record SignedInUser(
    int Id, string Email, string? FirstName, string? MiddleName, string? LastName, string? DefaultDpColor, DateTimeOffset CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? AccessToken)
    : UserView(Id, Email, FirstName, MiddleName, LastName, DefaultDpColor, CreatedAt);

internal sealed record UserCohortRow(int Id, string Name, int OrgId, string OrgName, CohortRole Role);

internal sealed record UserOrganization(int Id, string Name, Organizations.OrganizationRole Role);

internal sealed record UserBatch(int Id, string Name);

internal sealed record UserCohort(
    int Id, string Name, CohortRole Role, [property: JsonConverter(typeof(WireNaiveInstant))] DateTimeOffset? JoinedAt,
    IReadOnlyList<UserBatch> Batches);

internal sealed record CourseOrganization(int Id, string Name, string Slug);

/// <param name="Role"><c>learner</c>, <c>mentor</c> or <c>admin</c>.</param>
/// <param name="CohortId">Null for admins.</param>
internal sealed record UserCourse(int Id, string Name, string Role, CourseOrganization Org, int? CohortId);
