using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Learning.Auth;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Cohorts;

internal static class BatchesApi
{
    public static void MapBatches(this IEndpointRouteBuilder routes)
    {
        var batches = routes.MapGroup("/batches").WithTags("batches");
        batches.MapGet("/", ListAsync).RequireLearner().WithSummary("List a cohort's batches, newest first");
        batches.MapPost("/", CreateAsync).RequireLearner().WithSummary("Make a batch");
        batches.MapGet("/{batch_id}", GetAsync).RequireLearner().WithSummary("Read a batch");
        batches.MapPut("/{batch_id}", UpdateAsync).RequireLearner().WithSummary("Rename a batch, add and remove members");
        batches.MapDelete("/{batch_id}", DeleteAsync).RequireLearner().WithSummary("Delete a batch");
        batches.MapGet("/user/{user_id}/cohort/{cohort_id}", OfUserAsync)
            .RequireLearner().WithSummary("List a member's batches of a cohort");
    }

    internal static async Task<Ok<List<BatchView>>> ListAsync(
        [FromQuery(Name = "cohort_id")] int cohortId, Access access, BatchStore batches, [AsParameters] Page page, CancellationToken ct)
    {
        (await access.CohortAsync(cohortId, ct)).RequireStaff();
        return TypedResults.Ok(await batches.ListAsync(cohortId, page, ct));
    }

    internal static async Task<Ok<Made>> CreateAsync(Body<CreateBatchRequest> body, Access access, BatchStore batches, CancellationToken ct)
    {
        (await access.CohortAsync(body.Value.CohortId, ct)).RequireAdmin();
        return TypedResults.Ok(new Made(await batches.CreateAsync(body.Value.CohortId, body.Value.Name, body.Value.UserIds ?? [], ct)));
    }

    internal static async Task<Ok<BatchDetails>> GetAsync(
        [FromRoute(Name = "batch_id")] int batchId, Access access, BatchStore batches, CancellationToken ct)
    {
        (await access.BatchAsync(batchId, ct)).RequireStaff();
        return TypedResults.Ok(await batches.DetailsAsync(batchId, ct));
    }

    internal static async Task<Ok<BatchDetails>> UpdateAsync(
        [FromRoute(Name = "batch_id")] int batchId, Body<UpdateBatchRequest> body, Access access, BatchStore batches, CancellationToken ct)
    {
        (await access.BatchAsync(batchId, ct)).RequireAdmin();
        await batches.UpdateAsync(batchId, body.Value.Name, body.Value.MembersAdded ?? [], body.Value.MembersRemoved ?? [], ct);
        return TypedResults.Ok(await batches.DetailsAsync(batchId, ct));
    }

    internal static async Task<Ok<Success>> DeleteAsync(
        [FromRoute(Name = "batch_id")] int batchId, Access access, BatchStore batches, CancellationToken ct)
    {
        (await access.BatchAsync(batchId, ct)).RequireAdmin();
        await batches.DeleteAsync(batchId, ct);
        return TypedResults.Ok(Success.Instance);
    }

    internal static async Task<Ok<List<BatchOfUser>>> OfUserAsync(
        [FromRoute(Name = "user_id")] int userId, [FromRoute(Name = "cohort_id")] int cohortId,
        Access access, BatchStore batches, CancellationToken ct)
    {
        (await access.CohortAsync(cohortId, ct)).RequireSelfOrAdmin(userId);
        return TypedResults.Ok(await batches.OfUserAsync(userId, cohortId, ct));
    }

    internal sealed record CreateBatchRequest
    {
        public required string Name { get; init; }

        public required int CohortId { get; init; }

        public IReadOnlyList<int>? UserIds { get; init; }
    }

    internal sealed record UpdateBatchRequest
    {
        public required string Name { get; init; }

        public IReadOnlyList<int>? MembersAdded { get; init; }

        public IReadOnlyList<int>? MembersRemoved { get; init; }
    }
}
