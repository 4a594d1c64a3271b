using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Batches;

/// <summary>Batches in the words of Anthropic's API: the requests come in the body, the results are read as lines.</summary>
internal static class MessageBatchesApi
{
    private const int MostBatches = 1_000;
    private const int MaxRequests = 50_000;
    private const int MaxId = 64;

    public static void MapMessageBatches(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/messages/batches").WithTags("Batches");
        group.MapPost("", CreateAsync).WithSummary("Start a batch of messages").Accepts<NewBatch>("application/json");
        group.MapGet("", ListAsync).WithSummary("List batches of messages");
        group.MapGet("/{id}", GetAsync).WithSummary("Read a batch of messages");
        group.MapGet("/{id}/results", ResultsAsync).WithSummary("Read the results of a batch of messages");
        group.MapPost("/{id}/cancel", CancelAsync).WithSummary("Cancel a batch of messages");
        group.MapDelete("/{id}", DeleteAsync).WithSummary("Delete a batch of messages");
    }

    internal static async Task<IResult> CreateAsync(HttpContext context, CallGate gate, BatchStore batches, CancellationToken ct)
    {
        var key = gate.Authenticate(context.Request);
        using var bytes = await RequestBody.ReadAsync(context.Request);
        var lines = ReadLines(bytes.Memory);
        var batch = batches.Make(BatchKind.Anthropic, key, InnerCalls.Messages) with { Total = lines.Count };
        await batches.AddAsync(batch, lines, ct);
        return Json(Show(batch, context));
    }

    internal static async Task<IResult> ListAsync(
        HttpContext context, CallGate gate, BatchStore batches, CancellationToken ct,
        int limit = 20, string? after_id = null, string? before_id = null)
    {
        var key = gate.Authenticate(context.Request);
        if (limit is < 1 or > MostBatches)
        {
            throw Failure.Invalid($"limit must be between 1 and {MostBatches}", "limit");
        }
        var (found, hasMore) = await batches.ListAsync(
            key.OrganizationId, BatchKind.Anthropic, QueryValues.Text(after_id, "after_id"),
            QueryValues.Text(before_id, "before_id"), limit, ct);
        var page = found.ConvertAll(batch => Show(batch, context));
        return Json(new()
        {
            ["data"] = new JsonArray([.. page]),
            ["has_more"] = hasMore,
            ["first_id"] = page is [var first, ..] ? (string?)first["id"] : null,
            ["last_id"] = page is [.., var last] ? (string?)last["id"] : null,
        });
    }

    internal static async Task<IResult> GetAsync(HttpContext context, string id, CallGate gate, BatchStore batches, CancellationToken ct) =>
        Json(Show(await FindAsync(context, id, gate, batches, ct), context));

    internal static async Task<IResult> ResultsAsync(
        HttpContext context, string id, CallGate gate, BatchStore batches, BatchLines lines, CancellationToken ct)
    {
        var batch = await FindAsync(context, id, gate, batches, ct);
        if (batch.EndedAt is null)
        {
            throw Failure.NotFound("The batch is under way; its results are");
        }
        var unanswered = UnansweredOf(batch);
        return TypedResults.Stream(
            BatchOutput.Open(
                lines.ResultsAsync(batch.Id, ct), (result, output) => BatchOutput.WriteMessage(result, unanswered, output), ct),
            "application/x-jsonl");
    }

    internal static async Task<IResult> CancelAsync(HttpContext context, string id, CallGate gate, BatchStore batches, CancellationToken ct)
    {
        var batch = await FindAsync(context, id, gate, batches, ct);
        await batches.CancelAsync(batch, ct);
        return Json(Show(await FindAsync(context, id, gate, batches, ct), context));
    }

    internal static async Task<IResult> DeleteAsync(HttpContext context, string id, CallGate gate, BatchStore batches, CancellationToken ct)
    {
        await batches.DeleteAsync(await FindAsync(context, id, gate, batches, ct), ct);
        return Json(new() { ["id"] = id, ["type"] = "message_batch_deleted" });
    }

    private static List<BatchLine> ReadLines(ReadOnlyMemory<byte> body)
    {
        using var document = JsonBody.Open(body);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var requests = new Node(document.RootElement).Need("requests").Items(atLeast: 1, atMost: MaxRequests);
        return requests.ConvertAll(request =>
        {
            var (id, call) = (request.Need("custom_id"), request.Need("params"));
            if (!ToolNames.IsValid(id.Text(), MaxId))
            {
                throw id.Wrong($"must be 1 to {MaxId} letters, digits, '_' or '-'");
            }
            if (!ids.Add(id.Text()))
            {
                throw id.Wrong($"repeats '{id.Text()}'");
            }
            if (call.Object().Member("stream").ValueKind == JsonValueKind.True)
            {
                throw call.Need("stream").Wrong("cannot be true in a batch");
            }
            return new BatchLine(ids.Count, id.Text(), JsonMarshal.GetRawUtf8Value(call.Element).ToArray());
        });
    }

    private static async Task<Batch> FindAsync(HttpContext context, string id, CallGate gate, BatchStore batches, CancellationToken ct)
    {
        var key = gate.Authenticate(context.Request);
        return !id.Contains('\0', StringComparison.Ordinal)
            && await batches.FindAsync(key.OrganizationId, BatchKind.Anthropic, id, ct) is { } found
            ? found
            : throw Failure.NotFound("Batch");
    }

    private static string UnansweredOf(Batch batch) => batch.Status == BatchStatus.Expired ? "expired" : "canceled";

    private static JsonObject Show(Batch batch, HttpContext context)
    {
        var open = batch.Total - batch.Completed - batch.Failed;
        var isOver = batch.EndedAt is not null;
        return new()
        {
            ["id"] = batch.Id,
            ["type"] = "message_batch",
            ["processing_status"] = isOver ? "ended" : batch.CancellingAt is not null ? "canceling" : "in_progress",
            ["request_counts"] = new JsonObject
            {
                ["processing"] = isOver ? 0 : open,
                ["succeeded"] = batch.Completed,
                ["errored"] = batch.Failed,
                ["canceled"] = isOver && UnansweredOf(batch) == "canceled" ? open : 0,
                ["expired"] = isOver && UnansweredOf(batch) == "expired" ? open : 0,
            },
            ["ended_at"] = Instant(batch.EndedAt),
            ["created_at"] = Instant(batch.CreatedAt),
            ["expires_at"] = Instant(batch.ExpiresAt),
            ["archived_at"] = null,
            ["cancel_initiated_at"] = Instant(batch.CancellingAt),
            ["results_url"] = isOver ? $"{context.Request.Scheme}://{context.Request.Host}/v1/messages/batches/{batch.Id}/results" : null,
        };
    }

    private static string? Instant(DateTimeOffset? at) => at?.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static JsonHttpResult<JsonObject> Json(JsonObject body) => TypedResults.Json(body, GatewayJson.Default.JsonObject);

    internal sealed record NewBatch([property: Required, MinLength(1)] IReadOnlyList<Request> Requests);

    internal sealed record Request([property: Required] string CustomId, [property: Required] JsonElement Params);
}
