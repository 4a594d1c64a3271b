using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Prompts;

/// <summary>The prompts of the built-in agents, on GTWY's wire: what an organization words anew holds for its agents alone.</summary>
internal static class OwnPromptsApi
{
    private const int MaxPrompt = 20_000;

    public static void MapOwnPrompts(this IEndpointRouteBuilder routes)
    {
        var prompts = routes.MapGroup("/api/prebuilt_prompt").WithTags("Prompts");
        prompts.MapGet("", ListAsync).WithSummary("Read the prompts of the built-in agents");
        prompts.MapPut("", PutAsync).RequireGtwyEditor().TakesObject()
            .WithSummary("Word one of them anew: an object of its id and the text");
        prompts.MapPost("/reset", ResetAsync).RequireGtwyEditor().TakesObject().WithSummary("Go back to the usual words");
        prompts.MapGet("/{prompt_key}", GetAsync).WithSummary("Read one of them");
    }

    internal static async Task<Ok<JsonObject>> ListAsync(GtwyCaller caller, OwnPrompts prompts, CancellationToken ct) =>
        Shown("Prebuilt prompts retrieved successfully", new JsonObject(
            (await prompts.ListAsync(caller.OrganizationId, ct))
            .Select(prompt => KeyValuePair.Create(prompt.Key, (JsonNode?)prompt.Value))));

    internal static async Task<Ok<JsonObject>> PutAsync(GtwyCaller caller, GtwyBody body, OwnPrompts prompts, CancellationToken ct)
    {
        caller.RequireOwnEditor();
        if (body.Members.Count != 1 || body.Members.First().Key is var id && !OwnPrompts.Usual.ContainsKey(id))
        {
            throw Failure.Invalid(
                $"The body must be one of {string.Join(", ", OwnPrompts.Usual.Keys)} and its text", code: "invalid_value");
        }
        var text = body.Members.NeedText(id, MaxPrompt);
        await prompts.PutAsync(caller.OrganizationId, id, text, ct);
        return Shown("Prebuilt prompt updated successfully", new JsonObject { [id] = text });
    }

    internal static async Task<Ok<JsonObject>> ResetAsync(GtwyCaller caller, GtwyBody body, OwnPrompts prompts, CancellationToken ct)
    {
        caller.RequireOwnEditor();
        var id = Known(body.Members.NeedText("prompt_id"));
        await prompts.ResetAsync(caller.OrganizationId, id, ct);
        return Shown("Prebuilt prompt reset successfully", new JsonObject { [id] = OwnPrompts.Usual[id] });
    }

    internal static async Task<Ok<JsonObject>> GetAsync(string prompt_key, GtwyCaller caller, OwnPrompts prompts, CancellationToken ct) =>
        Shown(
        "Prebuilt prompt retrieved successfully",
        new JsonObject { [Known(prompt_key)] = await prompts.FindAsync(caller.OrganizationId, prompt_key, ct) });

    private static string Known(string id) => OwnPrompts.Usual.ContainsKey(id) ? id : throw Failure.NotFound("Prompt");

    private static Ok<JsonObject> Shown(string message, JsonObject data)
    {
        var answer = AgentsApi.Success(message);
        answer["data"] = data;
        return TypedResults.Ok(answer);
    }
}
