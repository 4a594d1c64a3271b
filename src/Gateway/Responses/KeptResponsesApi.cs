using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Files;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Responses;

/// <summary>Responses that were kept: read, cancelled, deleted. Each organization sees its own.</summary>
internal static class KeptResponsesApi
{
    private const int MostItems = 100;

    public static void MapKeptResponses(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/responses/{id}").WithTags("Responses");
        group.MapGet("", GetAsync).WithSummary("Read a response");
        group.MapDelete("", DeleteAsync).WithSummary("Delete a response");
        group.MapPost("/cancel", CancelAsync).WithSummary("Cancel a response in the background");
        group.MapGet("/input_items", InputAsync).WithSummary("List the items that a response was made from");
    }

    internal static async Task<IResult> GetAsync(
        HttpContext context, string id, CallGate gate, ResponseStore responses, CancellationToken ct) =>
        Json((await FindAsync(gate.Authenticate(context.Request).OrganizationId, id, responses, ct)).Response);

    internal static async Task<IResult> DeleteAsync(
        HttpContext context, string id, CallGate gate, ResponseStore responses, CancellationToken ct) =>
        await responses.DeleteAsync(gate.Authenticate(context.Request).OrganizationId, id, ct)
            ? Json(new JsonObject { ["id"] = id, ["object"] = "response", ["deleted"] = true })
            : throw Missing(id);

    internal static async Task<IResult> CancelAsync(
        HttpContext context, string id, CallGate gate, ResponseStore responses, JobActs jobs, CancellationToken ct)
    {
        var key = gate.Authenticate(context.Request);
        var response = await FindAsync(key.OrganizationId, id, responses, ct);
        var shown = JsonNode.Parse(response.Response.Span)!.AsObject();
        if ((bool?)shown["background"] != true)
        {
            throw Failure.Invalid("Only a response in the background can be cancelled", code: "not_in_background");
        }
        if (!response.IsUnderWay)
        {
            return Json(shown);
        }
        shown["status"] = "cancelled";
        var body = JsonSerializer.SerializeToUtf8Bytes(shown, GatewayJson.Default.JsonObject);
        if (await responses.EndAsync(key.OrganizationId, id, "cancelled", body, ct) is not { } job)
        {
            // It ended a moment before.
            return Json((await FindAsync(key.OrganizationId, id, responses, ct)).Response);
        }
        await jobs.CancelAsync(job, scope: null, $"key:{key.Id}", ct);
        return Json(shown);
    }

    internal static async Task<IResult> InputAsync(
        HttpContext context, string id, CallGate gate, ResponseStore responses, CancellationToken ct,
        int limit = 20, string order = "desc", string? after = null)
    {
        var key = gate.Authenticate(context.Request);
        if (limit is < 1 or > MostItems)
        {
            throw Failure.Invalid($"limit must be between 1 and {MostItems}", "limit", "invalid_value");
        }
        var response = await FindAsync(key.OrganizationId, id, responses, ct);
        var items = JsonNode.Parse(response.Input.Span)!.AsArray().Select(item => item!).ToList();
        if (order != "asc")
        {
            items.Reverse();
        }
        var from = after is null ? 0 : items.FindIndex(item => (string?)item["id"] == after) + 1;
        var page = items.Skip(from).Take(limit).Select(item => item.DeepClone().AsObject()).ToList();
        return Json(ObjectPage.Of(page, hasMore: items.Count > from + page.Count));
    }

    private static async Task<StoredResponse> FindAsync(Guid organizationId, string id, ResponseStore responses, CancellationToken ct)
    {
        if (id.Length > 128 || id.Contains('\0', StringComparison.Ordinal)
            || await responses.FindAsync(organizationId, id, ct) is not { } found)
        {
            throw Missing(id);
        }
        return found.Status == "in_progress" ? found with { Response = InProgress(found.Response) } : found;
    }

    private static byte[] InProgress(ReadOnlyMemory<byte> response)
    {
        var shown = JsonNode.Parse(response.Span)!.AsObject();
        shown["status"] = "in_progress";
        return JsonSerializer.SerializeToUtf8Bytes(shown, GatewayJson.Default.JsonObject);
    }

    private static FileContentHttpResult Json(ReadOnlyMemory<byte> body) => TypedResults.Bytes(body, "application/json");

    private static JsonHttpResult<JsonObject> Json(JsonObject body) => TypedResults.Json(body, GatewayJson.Default.JsonObject);

    private static Failure Missing(string id) =>
        new(FailureKind.NotFound, "not_found", $"Response with id '{(id.Length > 200 ? id[..200] : id)}' not found.");
}
