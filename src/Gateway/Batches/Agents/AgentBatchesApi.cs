using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.Runs;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Batches.Agents;

/// <summary>Batches of messages to an agent: started here, answered to a webhook.</summary>
internal static class AgentBatchesApi
{
    private const int MostBatches = 100;

    public static void MapAgentBatches(this IEndpointRouteBuilder routes) => routes
        .MapPost("/api/v2/model/batch/chat/completion", StartAsync).TakesObject().WithTags("Batches")
        .WithSummary("Run an agent, or a model without one, on many messages; the results go to a webhook");

    public static void MapAgentBatchStates(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/batch").WithTags("Batches");
        group.MapGet("", ListAsync).WithSummary("List the batches of agents, newest first");
        group.MapGet("/status/{batch_id}", GetAsync).WithSummary("Read how far a batch of an agent is");
        group.MapPost("/cancel/{batch_id}", CancelAsync).WithSummary("Cancel a batch of an agent; what is answered goes to its webhook");
    }

    internal static Task<IResult> StartAsync(GtwyBody body, GtwyCaller caller, HttpContext context, StartBatch start, RunsApi runs) =>
        runs.AnswerAsync(context, async _ =>
        {
            var (batch, lines) = await start.RunAsync(context, caller, body.Members, context.RequestAborted);
            return Json(new()
            {
                ["success"] = true,
                // The original's clients know it by these letters.
                ["response"] = "Response will be successfully sent to the webhook wihtin 24 hrs.",
                ["batch_id"] = batch.Id,
                ["messages"] = new JsonArray([.. lines.Select(line => line.Show())]),
            });
        });

    internal static async Task<ContentHttpResult> ListAsync(
        GtwyCaller caller, BatchStore batches, CancellationToken ct, string? after = null, int limit = 20)
    {
        if (limit is < 1 or > MostBatches)
        {
            throw Failure.Invalid($"limit must be between 1 and {MostBatches}", "limit");
        }
        var (page, hasMore) = await batches.ListAsync(
            caller.OrganizationId, BatchKind.Gtwy, QueryValues.Text(after, "after"), before: null, limit, ct);
        return Json(new()
        {
            ["success"] = true, ["data"] = new JsonArray([.. page.Select(Show)]), ["has_more"] = hasMore,
        });
    }

    internal static async Task<ContentHttpResult> GetAsync(
        [FromRoute(Name = "batch_id")] string batchId, GtwyCaller caller, BatchStore batches, CancellationToken ct) =>
        Json(new() { ["success"] = true, ["data"] = Show(await FindAsync(batchId, caller, batches, ct)) });

    internal static async Task<ContentHttpResult> CancelAsync(
        [FromRoute(Name = "batch_id")] string batchId, GtwyCaller caller, BatchStore batches, CancellationToken ct)
    {
        await batches.CancelAsync(await FindAsync(batchId, caller, batches, ct), ct);
        return await GetAsync(batchId, caller, batches, ct);
    }

    private static async Task<Batch> FindAsync(string id, GtwyCaller caller, BatchStore batches, CancellationToken ct) =>
        !id.Contains('\0', StringComparison.Ordinal) && await batches.FindAsync(caller.OrganizationId, BatchKind.Gtwy, id, ct) is { } found
            ? found
            : throw Failure.NotFound("Batch");

    private static JsonObject Show(Batch batch) => new()
    {
        ["batch_id"] = batch.Id,
        ["status"] = EnumNames<BatchStatus>.Write(batch.Status),
        ["bridge_id"] = batch.Document["agent_id"]?.DeepClone(),
        ["version_id"] = batch.Document["version_id"]?.DeepClone(),
        ["service"] = batch.Document["service"]?.DeepClone(),
        ["model"] = batch.Document["model"]?.DeepClone(),
        ["request_counts"] = new JsonObject { ["total"] = batch.Total, ["completed"] = batch.Completed, ["failed"] = batch.Failed },
        ["created_at"] = batch.CreatedAt,
        ["expires_at"] = batch.ExpiresAt,
        ["ended_at"] = batch.EndedAt,
    };

    private static ContentHttpResult Json(JsonObject body) =>
        TypedResults.Content(body.Compact(), "application/json", Encoding.UTF8, StatusCodes.Status200OK);
}
