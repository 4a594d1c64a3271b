using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Budgets;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.Secrets;
using Stoa.Gateway.Tools;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Agents;

/// <summary>Agents, on GTWY's wire.</summary>
internal static class AgentsApi
{
    private const int MaxPage = 200;

    public static void MapAgents(this IEndpointRouteBuilder routes)
    {
        var agents = routes.MapGroup("/api/agent").WithTags("Agents");
        agents.MapGet("", ListAsync).WithSummary("List agents");
        agents.MapPost("", CreateAsync).RequireGtwyEditor().TakesObject().WithSummary("Create an agent");
        agents.MapPost("/clone", CloneAsync).RequireGtwyEditor().TakesObject().WithSummary("Clone to another organization");
        agents.MapGet("/{agent_id}", GetAsync).WithSummary("Get an agent");
        agents.MapPut("/{agent_id}", UpdateAsync).RequireGtwyEditor().TakesObject().WithSummary("Update agent-level fields");
        agents.MapDelete("/{agent_id}", DeleteAsync).RequireGtwyEditor().TakesObject().WithSummary("Delete for 30 days, or restore");
    }

    internal static async Task<Ok<JsonObject>> ListAsync(
        GtwyCaller caller, HttpRequest request, AgentStore store, BudgetStore budgets,
        IOptions<GatewayOptions> options, CancellationToken ct, int? page = null, int? limit = null)
    {
        if (limit is < 1 or > MaxPage || page is < 1 or > 1_000_000)
        {
            throw GtwyFields.Wrong("limit", $"must be between 1 and {MaxPage}, and page at least 1");
        }
        var view = ViewOf(caller, request, options);
        var agents = await store.ListAsync(caller, page, limit, ct);
        var versions = await store.VersionsAsync(caller.OrganizationId, [.. agents.Select(agent => agent.Id)], ct);
        var uses = (await store.LastUsesAsync(caller.OrganizationId, ct))
            .ToDictionary(use => use.Id, use => use.At, StringComparer.Ordinal);
        var spent = await budgets.SpentAsync(caller.OrganizationId, BudgetKind.Agent, ct);
        var list = new JsonArray([.. agents.Select(agent => WithUsage(
            view.Of(agent, versions.GetValueOrDefault(agent.Id) ?? [], uses.TryGetValue(agent.Id, out var at) ? at : null),
            agent, spent))]);
        return TypedResults.Ok(view.Answer(
            new()
            {
                ["success"] = true,
                ["message"] = "Get all agents successfully",
                ["org_id"] = caller.OrgId,
                ["access"] = AccessOf(caller),
                ["embed_token"] = "",
                ["alerting_embed_token"] = "",
                ["trigger_embed_token"] = "",
                ["history_page_chatbot_token"] = "",
                ["doctstar_embed_token"] = "",
            },
            list));
    }

    /// <summary>
    /// 202 in the settings generation, where the outcome is pushed, unless <c>flag</c> asks for it; else 200 with the agent. Either way it
    /// is there when the answer comes.
    /// </summary>
    internal static async Task<Results<Ok<JsonObject>, Accepted<JsonObject>>> CreateAsync(
        GtwyCaller caller, GtwyBody body, HttpRequest request, AgentStore store, BudgetStore budgets, EditorPushes pages,
        IOptions<GatewayOptions> options, CancellationToken ct)
    {
        caller.RequireEditor();
        var wanted = NewAgent.Of(AgentShape.ToSettings(body.Members));
        var isAwaited = body.Members.Flag("flag") == true;
        var made = await store.CreateAsync(caller, wanted, ct);
        var shape = AgentShape.Of(request, options.Value);
        var view = new AgentView(caller.OrgId, shape, SealOf(request));
        var shown = await ShowAsync(caller, view, made, store, budgets, ct);
        if (shape == AgentShapeName.Settings && !isAwaited)
        {
            await pages.AgentCreatedAsync(caller, shown, ct);
            return TypedResults.Accepted(
                (string?)null, new JsonObject { ["success"] = true, ["accepted"] = true, ["message"] = "Agent creation started" });
        }
        return TypedResults.Ok(view.Answer(Success("Agent created successfully"), shown));
    }

    internal static async Task<Ok<JsonObject>> CloneAsync(GtwyCaller caller, GtwyBody body, CloneAgent clone, CancellationToken ct)
    {
        caller.RequireEditor();
        var made = await clone.RunAsync(caller, body.Members.NeedText("agent_id", 64), body.Members.NeedText("to_shift_org_id", 128), ct);
        var answer = Success("Agent cloned successfully");
        answer["agent_id"] = made.AgentId;
        answer["credentials_to_enter"] = made.Missing;
        return TypedResults.Ok(answer);
    }

    internal static async Task<Ok<JsonObject>> GetAsync(
        string agent_id, GtwyCaller caller, HttpRequest request, AgentStore store,
        BudgetStore budgets, ToolStore tools, IOptions<GatewayOptions> options, CancellationToken ct)
    {
        var agent = await store.FindAsync(caller, agent_id, ct) ?? throw AgentStore.Missing();
        var view = ViewOf(caller, request, options);
        var shown = view.Joined(
            await ShowAsync(caller, view, agent, store, budgets, ct), agent.Document,
            await tools.OfAsync(caller.OrganizationId, agent.Document, ct));
        var answer = view.Answer(Success("agent get successfully"), shown);
        answer["access"] = AccessOf(caller);
        return TypedResults.Ok(answer);
    }

    internal static async Task<Ok<JsonObject>> UpdateAsync(
        string agent_id, GtwyCaller caller, GtwyBody body, HttpRequest request, UpdateAgent update, AgentStore store, BudgetStore budgets,
        EditorPushes pages, IOptions<GatewayOptions> options, CancellationToken ct)
    {
        var agent = await update.RunAsync(caller, agent_id, AgentShape.ToSettings(body.Members), ct);
        await pages.AgentUpdatedAsync(caller, agent.Id, agent.PublishedVersionId, ct);
        var view = ViewOf(caller, request, options);
        return TypedResults.Ok(
            view.Answer(Success("Agent Updated successfully"), await ShowAsync(caller, view, agent, store, budgets, ct)));
    }

    internal static async Task<Ok<JsonObject>> DeleteAsync(
        string agent_id, GtwyCaller caller, GtwyBody body, AgentStore store, CancellationToken ct)
    {
        var restores = body.Members.Flag("restore") == true;
        var answer = Success(restores ? "Agent restored successfully" : "Agent deleted successfully");
        answer[restores ? "restoredVersionsCount" : "deletedVersionsCount"] =
            restores ? await store.RestoreAsync(caller, agent_id, ct) : await store.DeleteAsync(caller, agent_id, ct);
        return TypedResults.Ok(answer);
    }

    public static AgentView ViewOf(GtwyCaller caller, HttpRequest request, IOptions<GatewayOptions> options) =>
        new(caller.OrgId, AgentShape.Of(request, options.Value), SealOf(request), isForViewer: caller.Role == GtwyRole.Viewer);

    private static DocumentSeal SealOf(HttpRequest request) => request.HttpContext.RequestServices.GetRequiredService<DocumentSeal>();

    public static JsonObject Success(string message) => new() { ["success"] = true, ["message"] = message };

    /// <summary>Says in the API document that the route reads an object, which <see cref="GtwyBody"/> keeps from it.</summary>
    public static RouteHandlerBuilder TakesObject(
        this RouteHandlerBuilder route) => route.Accepts<JsonObject>(isOptional: true, "application/json");

    private static string AccessOf(GtwyCaller caller) => caller.Role.ToString().ToLowerInvariant();

    private static async Task<JsonObject> ShowAsync(
        GtwyCaller caller, AgentView view, Agent agent, AgentStore store, BudgetStore budgets, CancellationToken ct)
    {
        var versions = await store.VersionsAsync(caller.OrganizationId, [agent.Id], ct);
        return WithUsage(
            view.Of(agent, versions.GetValueOrDefault(agent.Id) ?? [], await store.LastUseAsync(caller.OrganizationId, agent.Id, ct)),
            agent,
            await budgets.SpentAsync(caller.OrganizationId, BudgetKind.Agent, ct));
    }

    /// <summary>Of an agent with a limit: what it has spent, not what its document was once told.</summary>
    private static JsonObject WithUsage(JsonObject view, Agent agent, Dictionary<string, decimal> spent)
    {
        if (spent.TryGetValue(agent.Id, out var amount))
        {
            view["bridge_usage"] = amount;
        }
        return view;
    }
}
