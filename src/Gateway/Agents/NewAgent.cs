using System.Text.Json.Nodes;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects.Gtwy;

namespace Stoa.Gateway.Agents;

/// <summary>What a new agent is to be, as the body says it.</summary>
internal sealed record NewAgent(
    string? Name, string? Slug, AgentKind Kind, string? FolderId,
    JsonObject? Meta, JsonObject? Settings, SpendingTerms Limit, string? Purpose)
{
    public static NewAgent Of(JsonObject body)
    {
        var settings = body.Object("settings");
        References.CheckSettings(settings);
        return new(
            NameOf(body, "name"), NameOf(body, "slugName"), KindOf(body) ?? AgentKind.Api, body.Text("folder_id", 64), body.Object("meta"),
            settings, SpendingTerms.Of(body, "bridge"), body.Text("purpose", 20_000));
    }

    public static AgentKind? KindOf(JsonObject body) => body.Word("bridgeType", "api", "chatbot", "trigger") switch
    {
        "api" => AgentKind.Api,
        "chatbot" => AgentKind.Chatbot,
        "trigger" => AgentKind.Trigger,
        _ => null,
    };

    /// <summary>Null when it is absent or blank.</summary>
    public static string? NameOf(JsonObject body, string field) =>
        body.Text(field, AgentNames.MaxLength)?.Trim() is { Length: > 0 } name ? name : null;

    /// <summary>The first document of the agent and of its first version.</summary>
    public JsonObject ToDocument(ModelDocument model, JsonObject? keys, string? userId, DateTimeOffset now)
    {
        var configuration = new JsonObject
        {
            ["model"] = model.ModelName,
            ["type"] = model.Type,
            ["prompt"] = new JsonObject { ["role"] = "", ["goal"] = "", ["instruction"] = "" },
            ["is_rich_text"] = false,
        };
        foreach (var parameter in model.Configuration.EnumerateObject().Where(parameter => parameter.Name != "model"))
        {
            configuration[parameter.Name] = "default";
        }
        var settings = new JsonObject
        {
            ["maximum_iterations"] = 3,
            ["publicUsers"] = new JsonArray(),
            ["editAccess"] = new JsonArray(),
            ["response_format"] = new JsonObject { ["type"] = "default" },
            ["stateless_conversation"] = Kind == AgentKind.Api,
        };
        foreach (var (name, value) in Settings ?? [])
        {
            settings[name] = value?.DeepClone();
        }
        var document = new JsonObject
        {
            ["user_id"] = userId,
            ["service"] = model.Service,
            ["configuration"] = configuration,
            ["gpt_memory"] = true,
            ["settings"] = settings,
            ["meta"] = Meta?.DeepClone(),
            ["apikey_object_id"] = keys?.DeepClone() ?? new JsonObject(),
            ["variables_path"] = new JsonObject(),
            ["variables_state"] = new JsonObject(),
            ["function_ids"] = new JsonArray(),
            ["built_in_tools"] = new JsonArray(),
            ["pre_tools"] = new JsonArray(),
            ["doc_ids"] = new JsonArray(),
            ["connected_agents"] = new JsonObject(),
            ["agent_info"] = new JsonObject(),
            ["starterQuestion"] = new JsonArray(),
            ["total_tokens"] = 0,
        };
        if (Purpose is not null)
        {
            document["bridge_summary"] = Purpose;
        }
        Limit.ApplyTo(document, now, "bridge");
        return document.Bounded();
    }
}
