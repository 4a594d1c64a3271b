using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Scorecards;

internal static class ScorecardsApi
{
    public static void MapScorecards(this IEndpointRouteBuilder routes)
    {
        var scorecards = routes.MapGroup("/scorecards").WithTags("scorecards");
        scorecards.MapGet("/", ListAsync).RequireLearner().WithSummary("List a school's scorecards");
        scorecards.MapPost("/", CreateAsync).RequireLearner().WithSummary("Make a scorecard");
        scorecards.MapPut("/{scorecard_id}", UpdateAsync).RequireLearner().WithSummary("Change a scorecard");
    }

    internal static async Task<Ok<List<ScorecardView>>> ListAsync(
        [FromQuery(Name = "org_id")] int orgId, Access access, ScorecardStore scorecards, [AsParameters] Page page, CancellationToken ct)
    {
        (await access.OrganizationAsync(orgId, ct)).RequireAdmin();
        return TypedResults.Ok(await scorecards.ListAsync(orgId, page, ct));
    }

    internal static async Task<Ok<ScorecardView>> CreateAsync(
        Body<CreateScorecardRequest> body, Access access, ScorecardStore scorecards, CancellationToken ct)
    {
        (await access.OrganizationAsync(body.Value.OrgId, ct)).RequireAdmin();
        return TypedResults.Ok(await scorecards.CreateAsync(body.Value.OrgId, body.Value.Title, body.Value.Criteria, ct));
    }

    internal static async Task<Ok<ScorecardView>> UpdateAsync(
        [FromRoute(Name = "scorecard_id")] int scorecardId, Body<BaseScorecard> body,
        Access access, ScorecardStore scorecards, CancellationToken ct)
    {
        (await access.ScorecardAsync(scorecardId, ct)).RequireAdmin();
        return TypedResults.Ok(await scorecards.UpdateAsync(scorecardId, body.Value.Title, body.Value.Criteria, ct));
    }

    internal sealed record BaseScorecard
    {
        public required string Title { get; init; }

        public required IReadOnlyList<Criterion> Criteria { get; init; }
    }

    internal sealed record CreateScorecardRequest
    {
        public required string Title { get; init; }

        public required IReadOnlyList<Criterion> Criteria { get; init; }

        public required int OrgId { get; init; }
    }
}
