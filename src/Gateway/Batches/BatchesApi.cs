using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Files;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Batches;

/// <summary>Batches in the words of OpenAI's API: a file of requests in, files of answers and errors out.</summary>
internal static class BatchesApi
{
    private const int MostBatches = 100;

    private static readonly string[] Endpoints = [InnerCalls.Chat, InnerCalls.Responses, InnerCalls.Embeddings];

    public static void MapBatches(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/batches").WithTags("Batches");
        group.MapPost("", CreateAsync).WithSummary("Start a batch from an uploaded file").Accepts<NewBatch>("application/json");
        group.MapGet("", ListAsync).WithSummary("List batches");
        group.MapGet("/{id}", GetAsync).WithSummary("Read a batch");
        group.MapPost("/{id}/cancel", CancelAsync).WithSummary("Cancel a batch");
    }

    internal static async Task<IResult> CreateAsync(
        HttpContext context, CallGate gate, BatchStore batches, FileStore files, CancellationToken ct)
    {
        var key = gate.Authenticate(context.Request);
        using var bytes = await RequestBody.ReadAsync(context.Request);
        using var document = JsonBody.Open(bytes.Memory);
        var body = new Node(document.RootElement);
        var (file, endpoint, window) = (body.Need("input_file_id"), body.Need("endpoint"), body.Need("completion_window"));
        if (!Endpoints.Contains(endpoint.Text(), StringComparer.Ordinal))
        {
            throw endpoint.NotOneOf(string.Join(", ", Endpoints.Select(name => $"'{name}'")));
        }
        if (window.Text() != "24h")
        {
            throw window.NotOneOf("'24h'");
        }
        var metadata = body.Get("metadata") is { } pairs ? OpenAiFields.ReadMetadata(pairs) : null;
        if (file.Text(200).Contains('\0', StringComparison.Ordinal)
            || await files.FindAsync(key.OrganizationId, file.Text(), ct) is not { } input)
        {
            throw FileFailures.Missing(file.Text(), "input_file_id");
        }
        if (input.Purpose != "batch")
        {
            throw file.Wrong("names a file whose purpose is not 'batch'");
        }
        var batch = batches.Make(BatchKind.OpenAi, key, endpoint.Text()) with
        {
            InputFileId = input.Id,
            Document = new()
            {
                ["metadata"] = metadata is null
                    ? null
                    : new JsonObject(metadata.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value))),
            },
        };
        await batches.AddAsync(batch, [], ct);
        return Json(Show(batch));
    }

    internal static async Task<IResult> ListAsync(
        HttpContext context, CallGate gate, BatchStore batches, CancellationToken ct, int limit = 20, string? after = null)
    {
        var key = gate.Authenticate(context.Request);
        if (limit is < 1 or > MostBatches)
        {
            throw Failure.Invalid($"'limit' must be between 1 and {MostBatches}.", "limit", "invalid_value");
        }
        var (page, hasMore) =
            await batches.ListAsync(key.OrganizationId, BatchKind.OpenAi, QueryValues.Text(after, "after"), before: null, limit, ct);
        return Json(ObjectPage.Of(page.Select(Show), hasMore));
    }

    internal static async Task<IResult> GetAsync(HttpContext context, string id, CallGate gate, BatchStore batches, CancellationToken ct) =>
        Json(Show(await FindAsync(context, id, gate, batches, ct)));

    internal static async Task<IResult> CancelAsync(HttpContext context, string id, CallGate gate, BatchStore batches, CancellationToken ct)
    {
        var batch = await FindAsync(context, id, gate, batches, ct);
        await batches.CancelAsync(batch, ct);
        return Json(Show(await FindAsync(context, id, gate, batches, ct)));
    }

    private static async Task<Batch> FindAsync(HttpContext context, string id, CallGate gate, BatchStore batches, CancellationToken ct)
    {
        var key = gate.Authenticate(context.Request);
        return !id.Contains('\0', StringComparison.Ordinal)
            && await batches.FindAsync(key.OrganizationId, BatchKind.OpenAi, id, ct) is { } found
            ? found
            : throw new Failure(FailureKind.NotFound, "not_found", $"No batch found with id '{(id.Length > 100 ? id[..100] : id)}'.");
    }

    private static JsonObject Show(Batch batch) => new()
    {
        ["id"] = batch.Id,
        ["object"] = "batch",
        ["endpoint"] = batch.Endpoint,
        ["errors"] = batch.Document["errors"]?.DeepClone(),
        ["input_file_id"] = batch.InputFileId,
        ["completion_window"] = "24h",
        ["status"] = EnumNames<BatchStatus>.Write(batch.Status),
        ["output_file_id"] = batch.OutputFileId,
        ["error_file_id"] = batch.ErrorFileId,
        ["created_at"] = batch.CreatedAt.ToUnixTimeSeconds(),
        ["in_progress_at"] = batch.StartedAt?.ToUnixTimeSeconds(),
        ["expires_at"] = batch.ExpiresAt.ToUnixTimeSeconds(),
        ["finalizing_at"] = batch.FinalizingAt?.ToUnixTimeSeconds(),
        ["completed_at"] = EndOf(batch, BatchStatus.Completed),
        ["failed_at"] = EndOf(batch, BatchStatus.Failed),
        ["expired_at"] = EndOf(batch, BatchStatus.Expired),
        ["cancelling_at"] = batch.CancellingAt?.ToUnixTimeSeconds(),
        ["cancelled_at"] = EndOf(batch, BatchStatus.Cancelled),
        ["request_counts"] = new JsonObject { ["total"] = batch.Total, ["completed"] = batch.Completed, ["failed"] = batch.Failed },
        ["metadata"] = batch.Document["metadata"]?.DeepClone(),
    };

    private static long? EndOf(Batch batch, BatchStatus status) => batch.Status == status ? batch.EndedAt?.ToUnixTimeSeconds() : null;

    private static JsonHttpResult<JsonObject> Json(JsonObject body) => TypedResults.Json(body, GatewayJson.Default.JsonObject);

    internal sealed record NewBatch(
        [property: Required, Description("A file of the purpose batch: lines of {custom_id, method, url, body}")] string InputFileId,
        [property: Required, AllowedValues(InnerCalls.Chat, InnerCalls.Responses, InnerCalls.Embeddings)] string Endpoint,
        [property: Required, AllowedValues("24h")] string CompletionWindow,
        IReadOnlyDictionary<string, string>? Metadata);
}
