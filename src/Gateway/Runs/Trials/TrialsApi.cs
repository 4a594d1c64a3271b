using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.RunTools;
using Stoa.Gateway.Tools;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs.Trials;

/// <summary>The routes that try things out: an agent on its test cases, a tool alone.</summary>
internal static class TrialsApi
{
    public static void MapTestCaseRuns(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/v2/model/testcases", TestAsync).TakesObject()
            .WithTags("Runs").WithSummary("Run a version of an agent on test cases");

    public static void MapToolTests(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/tools/{id}/test", TryAsync).RequireGtwyEditor().TakesObject()
            .WithTags("Tools").WithSummary("Call a tool with arguments of your own");

    internal static async Task<ContentHttpResult> TestAsync(
        GtwyBody body, GtwyCaller caller, TestCaseRuns trials, RunLimits limits, HttpContext context)
    {
        await limits.TakeAsync(context, caller, agentId: null, threadId: null);
        using var place = limits.Enter(caller.OrganizationId);
        return Json(
            await trials.RunAsync(caller.OrganizationId, RunCaller.Of(caller), body.Members, context.RequestId(), context.RequestAborted));
    }

    internal static async Task<ContentHttpResult> TryAsync(
        string id, GtwyBody body, GtwyCaller caller, ToolMaking tools, ToolStore store, CancellationToken ct)
    {
        caller.RequireEditor();
        var tool = await store.FindAsync(caller.OrganizationId, id, ct) ?? throw Failure.NotFound("Tool");
        var outcome = await tools.CallAsync(tool, body.Members.Object("args") ?? [], ct);
        return Json(new()
        {
            ["success"] = !outcome.IsError,
            [outcome.IsError ? "error" : "response"] = outcome.Response?.DeepClone(),
            ["metadata"] = outcome.Metadata.DeepClone(),
        });
    }

    private static ContentHttpResult Json(JsonObject body) =>
        TypedResults.Content(body.Compact(), "application/json", Encoding.UTF8, StatusCodes.Status200OK);
}
