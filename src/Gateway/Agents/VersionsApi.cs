using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.Tools;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Agents;

/// <summary>Drafts and published versions of agents, on GTWY's wire.</summary>
internal static class VersionsApi
{
    public static void MapVersions(this IEndpointRouteBuilder routes)
    {
        var versions = routes.MapGroup("/api/versions").WithTags("Versions");
        versions.MapPost("", CreateAsync).RequireGtwyEditor().TakesObject().WithSummary("Create a version from another");
        versions.MapPost("/bulk_publish", PublishManyAsync).RequireGtwyEditor().TakesObject().WithSummary("Publish several");
        versions.MapGet("/connected-agents/{version_id}", GraphAsync).WithSummary("Connected-agent graph");
        versions.MapGet("/diff", DiffAsync).WithSummary("What differs between two versions");
        versions.MapPost("/discard/{version_id}", DiscardAsync).RequireGtwyEditor()
            .TakesObject().WithSummary("Reset a draft to the published state");
        versions.MapPost("/publish/{version_id}", PublishAsync).RequireGtwyEditor().TakesObject().WithSummary("Publish");
        versions.MapGet("/suggest-model/{version_id}", SuggestAsync).WithSummary("Suggest a model");
        versions.MapGet("/{version_id}", GetAsync).WithSummary("Get a version");
        versions.MapPut("/{version_id}", UpdateAsync).RequireGtwyEditor().TakesObject().WithSummary("Update a version");
        versions.MapDelete("/{version_id}", DeleteAsync).RequireGtwyEditor().WithSummary("Delete a version");
    }

    internal static async Task<Ok<JsonObject>> CreateAsync(
        GtwyCaller caller, GtwyBody body, VersionStore versions, CancellationToken ct) => TypedResults.Ok(Success(
        "version created successfully",
        await versions.CreateAsync(caller, body.Members.NeedText("version_id"), body.Members.Text("version_description", 20_000), ct)));

    internal static async Task<Ok<JsonObject>> PublishManyAsync(
        GtwyCaller caller, GtwyBody body, VersionStore versions, GatewayDb db, CancellationToken ct)
    {
        caller.RequireEditor();
        var ids = body.Members.Texts("version_ids", atMost: 100) ?? throw GtwyFields.Wrong("version_ids", "is required");
        var (published, failed) = (new JsonArray(), new JsonArray());
        foreach (var id in ids)
        {
            try
            {
                await versions.PublishAsync(caller, id, withSummary: null, ct);
                published.Add((JsonNode)id);
            }
            catch (Failure failure)
            {
                failed.Add((JsonNode)new JsonObject { ["status"] = "failed", ["version_id"] = id, ["error"] = failure.Message });
            }
            db.ChangeTracker.Clear();
        }
        var answer = AgentsApi.Success("Bulk publish completed");
        answer["published_version_ids"] = published;
        answer["failed"] = failed;
        return TypedResults.Ok(answer);
    }

    internal static async Task<Ok<JsonObject>> GraphAsync(
        string version_id, GtwyCaller caller, VersionStore versions, AgentGraph graph, CancellationToken ct)
    {
        var (version, agent) = await versions.FindAsync(caller, version_id, ct);
        return TypedResults.Ok(new JsonObject { ["success"] = true, ["data"] = await graph.AroundAsync(caller, version, agent, ct) });
    }

    internal static async Task<Ok<JsonObject>> DiffAsync(
        GtwyCaller caller, HttpRequest request, VersionStore versions,
        IOptions<GatewayOptions> options, CancellationToken ct, string? a = null,
        string? b = null)
    {
        var (first, _) = await versions.FindAsync(caller, a ?? throw GtwyFields.Wrong("a", "is required"), ct);
        var (second, _) = await versions.FindAsync(caller, b ?? throw GtwyFields.Wrong("b", "is required"), ct);
        var view = AgentsApi.ViewOf(caller, request, options);
        return TypedResults.Ok(
            new JsonObject { ["success"] = true, ["data"] = VersionDiff.Of(view.Shown(first.Document), view.Shown(second.Document)) });
    }

    internal static async Task<Ok<JsonObject>> DiscardAsync(
        string version_id, GtwyCaller caller, GtwyBody body, VersionStore versions, CancellationToken ct)
    {
        await versions.DiscardAsync(caller, version_id, body.Members.NeedText("bridge_id"), ct);
        return TypedResults.Ok(Success("version changes discarded successfully", version_id));
    }

    internal static async Task<Ok<JsonObject>> PublishAsync(
        string version_id, GtwyCaller caller, GtwyBody body, VersionStore versions, EditorPushes pages, CancellationToken ct)
    {
        var agent = await versions.PublishAsync(caller, version_id, body.Members.Flag("generate_summary"), ct);
        await pages.AgentUpdatedAsync(caller, agent.Id, version_id, ct);
        return TypedResults.Ok(Success("version published successfully", version_id));
    }

    /// <summary>The cheapest model that can do what the version asks for, of the services that it has keys for.</summary>
    internal static async Task<Ok<JsonObject>> SuggestAsync(
        string version_id, GtwyCaller caller, VersionStore versions, ModelStore models, CancellationToken ct)
    {
        var (version, _) = await versions.FindAsync(caller, version_id, ct);
        var keys = (version.Document["apikey_object_id"] as JsonObject ?? []).Select(key => key.Key).ToHashSet(StringComparer.Ordinal);
        if (keys.Count == 0)
        {
            throw Failure.Invalid("Please select api key for proceeding further", code: "key_missing");
        }
        var known = await models.ListAsync(caller.OrganizationId, null, ct);
        var suggested = ModelSuggestion.Of(version.Document, known.Where(model => keys.Contains(model.Service)));
        var answer = AgentsApi.Success("Model suggested successfully");
        answer["data"] = new JsonObject
        {
            ["model"] = suggested is null ? null : new JsonObject { ["service"] = suggested.Service, ["model"] = suggested.ModelName },
            ["error"] = suggested is null ? "No model of these services fits" : null,
        };
        return TypedResults.Ok(answer);
    }

    internal static async Task<Ok<JsonObject>> GetAsync(
        string version_id, GtwyCaller caller, HttpRequest request, VersionStore versions,
        ToolStore tools, IOptions<GatewayOptions> options, CancellationToken ct)
    {
        var (version, agent) = await versions.FindAsync(caller, version_id, ct);
        var view = AgentsApi.ViewOf(caller, request, options);
        var shown = view.Joined(
            view.Of(version, agent), version.Document, await tools.OfAsync(caller.OrganizationId, version.Document, ct));
        return TypedResults.Ok(view.Answer(AgentsApi.Success("Version get successfully"), shown));
    }

    internal static async Task<Ok<JsonObject>> UpdateAsync(
        string version_id, GtwyCaller caller, GtwyBody body, HttpRequest request, VersionStore versions, EditorPushes pages,
        IOptions<GatewayOptions> options, CancellationToken ct)
    {
        var (version, agent) = await versions.UpdateAsync(caller, version_id, AgentShape.ToSettings(body.Members), ct);
        await pages.AgentUpdatedAsync(caller, agent.Id, version_id, ct);
        var view = AgentsApi.ViewOf(caller, request, options);
        return TypedResults.Ok(view.Answer(AgentsApi.Success("Version Updated successfully"), view.Of(version, agent)));
    }

    internal static async Task<Ok<JsonObject>> DeleteAsync(
        string version_id, GtwyCaller caller, VersionStore versions, CancellationToken ct)
    {
        await versions.DeleteAsync(caller, version_id, ct);
        return TypedResults.Ok(AgentsApi.Success("Version deleted successfully"));
    }

    private static JsonObject Success(string message, string versionId)
    {
        var answer = AgentsApi.Success(message);
        answer["version_id"] = versionId;
        return answer;
    }
}
