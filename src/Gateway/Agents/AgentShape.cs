using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Dialects.Gtwy;

namespace Stoa.Gateway.Agents;

/// <summary>In which generation of GTWY's wire documents are returned. Both are read.</summary>
internal enum AgentShapeName
{
    Settings,
    Flat,
}

/// <summary>
/// The one place that knows the older, flat generation. Inside there is only the settings generation: what comes in flat is turned into it
/// at the door, and turned back on the way out for whoever asks for it.
/// </summary>
internal static class AgentShape
{
    private const string Header = "x-gtwy-shape";

    private static readonly (string Flat, string Setting)[] Moved =
    [
        ("tool_call_count", "maximum_iterations"), ("fall_back", "fall_back"), ("guardrails", "guardrails"), ("users", "editAccess"),
        ("page_config", "publicAgentConfig"),
    ];

    private static readonly string[] MovedFromConfiguration = ["response_format", "tone", "responseStyle"];

    /// <summary>The header's, else the deployment's.</summary>
    public static AgentShapeName Of(
        HttpRequest request, GatewayOptions options) => request.Headers[Header].ToString().ToLowerInvariant() switch
    {
        "flat" => AgentShapeName.Flat,
        "settings" => AgentShapeName.Settings,
        _ => options.AgentShape,
    };

    /// <summary>Turns a body or a stored document of either generation into the settings generation, in place.</summary>
    public static JsonObject ToSettings(JsonObject document)
    {
        foreach (var (flat, setting) in Moved)
        {
            if (document.ContainsKey(flat))
            {
                document.ObjectOrNew("settings")[setting] = document.Take(flat);
            }
        }
        if (document["settings"] is JsonObject settings && settings["publicAgentConfig"] is JsonObject page
            && page.Take("allowedUsers") is { } allowed)
        {
            settings["publicUsers"] = allowed;
        }
        if (document["configuration"] is JsonObject configuration)
        {
            foreach (var name in MovedFromConfiguration.Where(configuration.ContainsKey))
            {
                document.ObjectOrNew("settings")[name] = configuration.Take(name);
            }
        }
        if (document.Take("connected_agent_details") is JsonObject details)
        {
            Rename(details["agent_variables"] as JsonObject, "required_params", "required");
            var info = document.ObjectOrNew("agent_info");
            foreach (var (name, value) in details.ToList())
            {
                details.Remove(name);
                info[name] = value;
            }
        }
        return document;
    }

    /// <summary>Turns a document of ours into the flat generation, in place.</summary>
    public static JsonObject ToFlat(JsonObject document)
    {
        if (document["settings"] is JsonObject settings)
        {
            foreach (var (flat, setting) in Moved.Where(moved => settings.ContainsKey(moved.Setting)))
            {
                document[flat] = settings.Take(setting);
            }
            if (settings.Take("publicUsers") is JsonArray { Count: > 0 } allowed)
            {
                document.ObjectOrNew("page_config")["allowedUsers"] = allowed;
            }
            var configuration = document.ObjectOrNew("configuration");
            foreach (var name in MovedFromConfiguration.Where(settings.ContainsKey))
            {
                configuration[name] = settings.Take(name);
            }
            if (settings.Count == 0)
            {
                document.Remove("settings");
            }
        }
        foreach (var (name, value) in (document["configuration"] as JsonObject)?.ToList() ?? [])
        {
            if (value is JsonObject mode && mode["mode"]?.GetValueKind() == System.Text.Json.JsonValueKind.String)
            {
                document["configuration"]![name] = mode["mode"]!.GetValue<string>() == "custom" ? mode.Take("value") : mode.Take("mode");
            }
        }
        if (document.Take("agent_info") is JsonObject info)
        {
            Rename(info["agent_variables"] as JsonObject, "required", "required_params");
            document["connected_agent_details"] = info;
        }
        return document;
    }

    /// <summary>
    /// The same for the schema of a function: <c>required_params</c> and <c>parameter</c> against <c>required</c> and <c>properties</c>.
    /// </summary>
    public static JsonObject ToolToSettings(JsonObject tool)
    {
        Rename(tool, "required_params", "required");
        FieldsToSettings(tool["fields"] as JsonObject);
        return tool;
    }

    public static JsonObject ToolToFlat(JsonObject tool)
    {
        Rename(tool, "required", "required_params");
        FieldsToFlat(tool["fields"] as JsonObject);
        return tool;
    }

    private static void FieldsToSettings(JsonObject? fields)
    {
        foreach (var (_, value) in fields ?? [])
        {
            if (value is JsonObject field)
            {
                Rename(field, "required_params", "required");
                Rename(field, "parameter", "properties");
                FieldsToSettings(field["properties"] as JsonObject);
                FieldsToSettings((field["items"] as JsonObject)?["properties"] as JsonObject);
            }
        }
    }

    private static void FieldsToFlat(JsonObject? fields)
    {
        foreach (var (_, value) in fields ?? [])
        {
            if (value is JsonObject field)
            {
                FieldsToFlat((field["items"] as JsonObject)?["properties"] as JsonObject);
                FieldsToFlat(field["properties"] as JsonObject);
                Rename(field, "required", "required_params");
                Rename(field, "properties", "parameter");
            }
        }
    }

    private static void Rename(JsonObject? holder, string from, string to)
    {
        if (holder is not null && holder.ContainsKey(from))
        {
            var value = holder.Take(from);
            holder[to] ??= value;
        }
    }
}
