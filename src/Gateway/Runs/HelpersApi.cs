using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.History;
using Stoa.Gateway.Prompts;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Gateway.Runs.FollowUps;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>
/// What the editor asks of the built-in agents (<c>POST /api/utils/call-gtwy</c>). Nothing is kept: the editor shows the result first.
/// </summary>
internal static class HelpersApi
{
    private const int MaxText = 60_000;

    private static readonly string[] Kinds =
    [
        "structured_output", "gpt_memory", "improve_prompt", "optimize_prompt", "generate_test_cases", "generate_summary", "generate_json",
    ];

    public static void MapHelpers(this IEndpointRouteBuilder routes) => routes.MapPost("/api/utils/call-gtwy", CallAsync)
        .RequireGtwyEditor().TakesObject().WithTags("Prompts")
        .WithSummary("Ask a built-in agent: for a prompt, a schema, test cases, a summary");

    internal static async Task<Ok<JsonObject>> CallAsync(
        GtwyCaller caller, GtwyBody body, VersionStore versions, GatewayDb db,
        NpgsqlDataSource database, SideRuns side, HelperModels models, BuiltInAgents agents,
        OwnPrompts prompts, RunLimits limits, HttpContext context)
    {
        var ct = context.RequestAborted;
        caller.RequireEditor();
        var given = body.Members;
        var kind = given.Word("type", Kinds) ?? throw GtwyFields.Wrong("type", "is required");
        if (kind == "gpt_memory")
        {
            return Shown(await MemoryAsync(caller, given, db, database, ct));
        }
        await limits.TakeAsync(context, caller, given.Text("bridge_id"), threadId: null);
        using var place = limits.Enter(caller.OrganizationId);
        var (promptId, text, wantsJson) = await QuestionAsync(kind, given, caller, versions, db, ct);
        var run = await RunOfAsync(kind, given, caller, versions, db, side, models, context.RequestId(), ct)
            ?? throw Failure.Invalid("Could not find api key or Agent is not Published", code: "key_missing");
        var prompt = await prompts.FindAsync(caller.OrganizationId, promptId, ct);
        var result = wantsJson
            ? await agents.AskForObjectAsync(run, prompt, text, ct)
            ?? throw new Failure(FailureKind.Upstream, "upstream_invalid_response", "The model did not answer as asked")
            : (JsonNode)await agents.AskAsync(run, prompt, text, wantsJson: false, ct);
        return Shown(result);
    }

    private static async Task<(string PromptId, string Text, bool WantsJson)> QuestionAsync(
        string kind, JsonObject given, GtwyCaller caller, VersionStore versions, GatewayDb db, CancellationToken ct) => kind switch
        {
            "structured_output" => (
                OwnPrompts.StructuredOutput,
                $"Wanted: {given.NeedText("query", MaxText)}"
                + (given["json_schema"] is { } schema ? $"\nSchema: {Short(schema.AsWords())}" : ""), true),
            "generate_json" => (
                OwnPrompts.StructuredOutput,
                $"For answers like this example: {Short((given["example_json"] ?? throw GtwyFields.Wrong("example_json", "is required")).AsWords())}", true),
            "improve_prompt" => (
                OwnPrompts.Optimize,
                Short((GtwyFields.Object(given, "variables") ?? throw GtwyFields.Wrong("variables", "is required")).Compact()), false),
            "optimize_prompt" => (
                OwnPrompts.Optimize,
                $"Instructions: {await PromptAsync(given, caller, versions, db, ct)}\nWanted: {given.Text("query", MaxText) ?? "whatever makes them better"}", false),
            "generate_summary" => (OwnPrompts.Summary, await PromptAsync(given, caller, versions, db, ct), false),
            _ => (OwnPrompts.TestCases, await PromptAsync(given, caller, versions, db, ct), true),
        };

    /// <summary>With the model and key of the agent that is meant, else with the first service for which there is a key.</summary>
    private static async Task<Run?> RunOfAsync(
        string kind, JsonObject given, GtwyCaller caller, VersionStore versions,
        GatewayDb db, SideRuns side, HelperModels models, string requestId,
        CancellationToken ct)
    {
        var text = new JsonObject { ["user"] = kind };
        if (given.Name("version_id") is { } version)
        {
            return await side.OpenAsync(
                caller.OrganizationId, (await versions.FindAsync(caller, version, ct)).Agent.Id, version, text, requestId, ct);
        }
        if (given.Name("bridge_id") is { } agent)
        {
            await db.RequireAgentAsync(caller, agent, ct);
            return await side.OpenAsync(caller.OrganizationId, agent, versionId: null, text, requestId, ct);
        }
        return models.Find(caller.OrganizationId) is { } direct
            ? await side.OpenAsync(caller.OrganizationId, agentId: null, versionId: null, direct, requestId, ct) : null;
    }

    private static async Task<string> PromptAsync(
        JsonObject given, GtwyCaller caller, VersionStore versions, GatewayDb db, CancellationToken ct)
    {
        JsonObject document;
        if (given.Name("version_id") is { } version)
        {
            document = (await versions.FindAsync(caller, version, ct)).Version.Document;
        }
        else
        {
            var id = given.NeedText("bridge_id");
            await db.RequireAgentAsync(caller, id, ct);
            document = (await db.Agents.FindAsync([id], ct))!.Document;
        }
        return AgentWords.OfPrompt(document) ?? throw Failure.Invalid("The agent has no prompt yet", code: "prompt_missing");
    }

    private static async Task<JsonNode?> MemoryAsync(
        GtwyCaller caller, JsonObject given, GatewayDb db, NpgsqlDataSource database, CancellationToken ct)
    {
        var (agent, thread, sub) = (given.NeedText("bridge_id"), given.NeedText("thread_id"), given.NeedText("sub_thread_id"));
        await db.RequireAgentAsync(caller, agent, ct);
        return (await ThreadHistory.ReadAsync(database, new(caller.OrganizationId, agent, thread, sub), ct)).Memory;
    }

    private static string Short(string text) =>
        text.Length <= MaxText ? text : throw Failure.Invalid($"This may have at most {MaxText} characters", code: "too_long");

    private static Ok<JsonObject> Shown(JsonNode? result) => TypedResults.Ok(new JsonObject { ["success"] = true, ["result"] = result });
}
