using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Tools;

/// <summary>Functions that agents may call, on GTWY's wire.</summary>
internal static partial class ToolsApi
{
    private const int MaxDescription = 20_000;
    private const int MaxPage = 200;

    private static readonly (string Value, string Name, string Description)[] InBuilt =
    [
        ("web_search", "Web Search", "Lets the model search the web, where its provider can"),
        ("image_generation", "Image Generation", "Lets the model draw images, where its provider can"),
        ("Gtwy_Web_Search", "Gtwy Web Search", "Searches the web for any model"),
    ];

    // What an HTTP function of ours has beside its schema.
    private static readonly string[] Direct = ["kind", "method", "headers", "auth"];

    public static void MapTools(this IEndpointRouteBuilder routes)
    {
        var tools = routes.MapGroup("/api/tools").WithTags("Tools");
        tools.MapGet("", ListAsync).WithSummary("List functions");
        tools.MapPost("", SaveAsync).RequireGtwyEditor().TakesObject()
            .WithSummary("Create, update or remove a function by its script's id");
        tools.MapDelete("", RemoveAsync).RequireGtwyEditor().TakesObject().WithSummary("Delete a function");
        tools.MapGet("/agents-versions-by-functions", UsesAsync).WithSummary("Where functions are used");
        tools.MapGet("/inbuilt", ListInBuilt).WithSummary("Built-in tools");
        tools.MapPut("/pre_tool/{agent_id}", SetPreToolAsync).RequireGtwyEditor().TakesObject().WithSummary("Set or remove the pre-tool");
        tools.MapPut("/{function_id}", UpdateAsync).RequireGtwyEditor().TakesObject().WithSummary("Update a function");
    }

    internal static async Task<Ok<JsonObject>> ListAsync(
        GtwyCaller caller, HttpRequest request, ToolStore store, IOptions<GatewayOptions> options,
        CancellationToken ct, int? page = null, int? limit = null)
    {
        if (limit is < 1 or > MaxPage || page is < 1 or > 1_000_000)
        {
            throw GtwyFields.Wrong("limit", $"must be between 1 and {MaxPage}, and page at least 1");
        }
        var view = AgentsApi.ViewOf(caller, request, options);
        var tools = await store.ListAsync(caller.OrganizationId, page, limit, ct);
        var answer = AgentsApi.Success("Get all functions of a org successfully");
        answer["data"] = new JsonArray([.. tools.Select(view.Of)]);
        answer["org_id"] = caller.OrgId;
        return TypedResults.Ok(answer);
    }

    internal static async Task<Ok<JsonObject>> SaveAsync(
        GtwyCaller caller, GtwyBody body, HttpRequest request, ToolStore store, IOptions<GatewayOptions> options, CancellationToken ct)
    {
        caller.RequireEditor();
        var given = body.Members;
        var script = given.NeedText("id");
        var status = given.Word("status", "published", "updated", "delete", "paused") ?? throw SomethingWrong();
        if (status is "delete" or "paused")
        {
            var isRemoved = await store.RemoveAsync(caller.OrganizationId, script, ct);
            return isRemoved
                ? TypedResults.Ok(new JsonObject
                {
                    ["message"] = "API deleted successfully",
                    ["success"] = true,
                    ["deleted"] = true,
                    ["data"] = new JsonObject { ["script_id"] = script },
                })
                : throw SomethingWrong();
        }
        var description = given.Text("desc", MaxDescription) ?? throw SomethingWrong();
        var title = given.Text("title", 200) is { Length: > 0 } named ? named : script;
        if (!Title().IsMatch(title))
        {
            throw GtwyFields.Wrong("title", "may have letters, digits, _ and - only");
        }
        var parameters = given.Object("openaiToolJson")?.Object("function")?.Object("parameters")
            ?? given.Object("openaiToolJson")?.Object("parameters");
        var tool = await store.SaveAsync(caller, script, title, old => Saved(caller, old, given, description, parameters), ct);
        return TypedResults.Ok(new JsonObject
        {
            ["message"] = "API saved successfully",
            ["success"] = true,
            ["data"] = AgentsApi.ViewOf(caller, request, options).Of(tool),
        });
    }

    internal static async Task<Ok<JsonObject>> RemoveAsync(GtwyCaller caller, GtwyBody body, ToolStore store, CancellationToken ct)
    {
        caller.RequireEditor();
        return await store.RemoveAsync(caller.OrganizationId, body.Members.NeedText("script_id"), ct)
            ? TypedResults.Ok(AgentsApi.Success("Function deleted successfully"))
            : throw Failure.NotFound("Function");
    }

    /// <summary>For each function the agents and versions that have it.</summary>
    internal static async Task<Ok<JsonObject>> UsesAsync(GtwyCaller caller, ToolStore store, CancellationToken ct)
    {
        var data = new JsonObject();
        foreach (var group in (await store.UsesAsync(caller.OrganizationId, ct)).GroupBy(use => use.What!, StringComparer.Ordinal))
        {
            data[group.Key] = AgentUse.Show(group);
        }
        var answer = AgentsApi.Success("Get all agents and versions by functions successfully");
        answer["data"] = data;
        return TypedResults.Ok(answer);
    }

    internal static Ok<JsonObject> ListInBuilt(GtwyCaller caller)
    {
        var answer = AgentsApi.Success("Get all inbuilt tools successfully");
        answer["in_built_tools"] = new JsonArray([.. InBuilt.Select(tool => new JsonObject
        {
            ["id"] = tool.Value,
            ["name"] = tool.Name,
            ["description"] = tool.Description,
            ["value"] = tool.Value,
        })]);
        return TypedResults.Ok(answer);
    }

    internal static async Task<Ok<JsonObject>> SetPreToolAsync(
        string agent_id, GtwyCaller caller, GtwyBody body, HttpRequest request,
        PreTools preTools, IOptions<GatewayOptions> options, CancellationToken ct)
    {
        var shown = await preTools.SetAsync(caller, agent_id, body.Members, AgentsApi.ViewOf(caller, request, options), ct);
        return TypedResults.Ok(AgentsApi.ViewOf(caller, request, options)
            .Answer(AgentsApi.Success("Agent pre-tool updated successfully"), shown));
    }

    internal static async Task<Ok<JsonObject>> UpdateAsync(
        string function_id, GtwyCaller caller, GtwyBody body, HttpRequest request,
        ToolStore store, IOptions<GatewayOptions> options, CancellationToken ct)
    {
        caller.RequireEditor();
        var sent = AgentShape.ToolToSettings(body.Members.Object("dataToSend") ?? throw GtwyFields.Wrong("dataToSend", "is required"));
        var changed = await store.ChangeAsync(caller.OrganizationId, function_id, tool => Change(tool, sent), ct)
            ?? throw Failure.NotFound("Function");
        return TypedResults.Ok(new JsonObject { ["success"] = true, ["data"] = AgentsApi.ViewOf(caller, request, options).Of(changed) });
    }

    private static void Change(AgentTool tool, JsonObject sent)
    {
        var document = (JsonObject)tool.Document.DeepClone();
        if (sent.Text("title", 200) is { Length: > 0 } title)
        {
            tool.Title = Title().IsMatch(title) ? title : throw GtwyFields.Wrong("title", "may have letters, digits, _ and - only");
        }
        if (sent.Text("description", MaxDescription) is { } description)
        {
            document["description"] = description;
        }
        if (sent.Object("fields") is { } fields)
        {
            document["old_fields"] = document.Take("fields");
            document["fields"] = fields.DeepClone();
        }
        if (sent.Texts("required") is { } required)
        {
            document["required"] = new JsonArray([.. required.Select(name => JsonValue.Create(name))]);
        }
        SetDirect(document, sent);
        tool.Document = document.Bounded();
    }

    /// <summary>The schema of OpenAI's form becomes <c>fields</c>; a changed one leaves the former in <c>old_fields</c>.</summary>
    private static JsonObject Saved(GtwyCaller caller, JsonObject? old, JsonObject given, string description, JsonObject? parameters)
    {
        var document = old is null
            ? new JsonObject { ["user_id"] = caller.UserId, ["folder_id"] = caller.FolderId }
            : (JsonObject)old.DeepClone();
        document["description"] = description;
        if (parameters is not null || old is null)
        {
            var fields = parameters?.Object("properties")?.DeepClone() ?? new JsonObject();
            if (old?["fields"] is { } former && !JsonNode.DeepEquals(former, fields))
            {
                document["old_fields"] = former.DeepClone();
            }
            document["fields"] = fields;
            document["required"] = new JsonArray([.. (parameters?.Texts("required") ?? []).Select(name => JsonValue.Create(name))]);
        }
        SetDirect(document, given);
        return AgentShape.ToolToSettings(document).Bounded();
    }

    private static void SetDirect(JsonObject document, JsonObject given)
    {
        if (given.Text("url", 4_096) is { Length: > 0 } url)
        {
            document["url"] = Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
                ? url
                : throw GtwyFields.Wrong("url", "must be an http or https address");
        }
        foreach (var name in Direct.Where(given.ContainsKey))
        {
            document[name] = given[name]?.DeepClone();
        }
    }

    private static Failure SomethingWrong() => Failure.Invalid("Something went wrong!");

    [GeneratedRegex("^[a-zA-Z0-9_-]+$", RegexOptions.NonBacktracking)]
    private static partial Regex Title();
}
