using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Stoa.Learning.Auth;
using Stoa.Learning.Cohorts;

namespace Stoa.Learning.Hva;

/// <summary>Section <c>Learning:Hva</c>: the school whose learners the front end shows a page of their own.</summary>
internal sealed class HvaOptions
{
    public const string Section = "Learning:Hva";

    [Required]
    public string OrganizationName { get; set; } = "HyperVerge Academy";
}

/// <summary>Whether somebody learns at that one school.</summary>
internal static class HvaApi
{
    public static void MapHva(this IEndpointRouteBuilder routes)
    {
        var hva = routes.MapGroup("/hva").WithTags("hva").RequireLearner();
        hva.MapGet("/org_id", OrganizationAsync).WithSummary("The school's id; null where there is none of its name");
        hva.MapGet("/is_user_hva_learner", IsLearnerAsync).WithSummary("Whether somebody is a learner there");
    }

    internal static async Task<int?> OrganizationAsync(Access access, LearningDb db, IOptions<HvaOptions> options, CancellationToken ct)
    {
        await access.CallerAsync(ct);
        return await db.Organizations.Where(organization => organization.Name == options.Value.OrganizationName)
            .OrderBy(organization => organization.Id).Select(organization => (int?)organization.Id).FirstOrDefaultAsync(ct);
    }

    internal static async Task<bool> IsLearnerAsync(
        [FromQuery(Name = "user_id")] int userId, Access access, LearningDb db, IOptions<HvaOptions> options, CancellationToken ct)
    {
        (await access.CallerAsync(ct)).RequireSelf(userId);
        return await (
            from member in db.CohortMembers
            join cohort in db.Cohorts on member.CohortId equals cohort.Id
            join organization in db.Organizations on cohort.OrgId equals organization.Id
            where member.UserId == userId && member.Role == CohortRole.Learner && organization.Name == options.Value.OrganizationName
            select member).AnyAsync(ct);
    }
}

[JsonSerializable(typeof(int?))]
[JsonSerializable(typeof(bool))]
internal sealed partial class HvaJson : JsonSerializerContext;
