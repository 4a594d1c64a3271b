using System.Text.Json.Nodes;

namespace Stoa.Tests.Support;

/// <summary>The smallest valid instance of the schemas that tests use (objects, arrays, enums, scalars).</summary>
internal static class ScriptedSchema
{
    /// <summary>The schema that a request wants its text to follow, in either dialect.</summary>
    internal static JsonNode? DemandedBy(JsonObject body) =>
        (body["response_format"] as JsonObject)?["json_schema"]?["schema"]
        ?? (body["text"] as JsonObject)?["format"]?["schema"]
        ?? (body["output_config"] as JsonObject)?["format"]?["schema"]
        ?? (body["generationConfig"] as JsonObject)?["responseJsonSchema"]
        ?? ((string?)(body["generationConfig"] as JsonObject)?["responseMimeType"] == "application/json"
            ? new JsonObject { ["type"] = "object" } : null)
        ?? ((string?)(body["response_format"] as JsonObject)?["type"] == "json_object" ? new JsonObject { ["type"] = "object" } : null);

    /// <summary>The tool that a request leaves no choice but to call.</summary>
    internal static JsonNode? DemandedTool(JsonObject body)
    {
        if (body["tools"] is not JsonArray { Count: > 0 } tools)
        {
            return null;
        }
        if (tools[0]?["functionDeclarations"] is JsonArray declarations)
        {
            return (string?)body["toolConfig"]?["functionCallingConfig"]?["mode"] == "ANY" ? declarations[0] : null;
        }
        return body["tool_choice"] switch
        {
            JsonValue value when value.TryGetValue<string>(out var word) => word == "required" ? tools[0] : null,
            JsonObject choice when (string?)choice["type"] == "any" => tools[0],
            JsonObject choice when (string?)(choice["function"]?["name"] ?? choice["name"]) is { } name =>
                tools.FirstOrDefault(tool => (string?)(tool?["function"]?["name"] ?? tool?["name"]) == name),
            _ => null,
        };
    }

    internal static JsonNode Instance(JsonNode schema)
    {
        if (schema["enum"] is JsonArray { Count: > 0 } choices)
        {
            return choices[0]!.DeepClone();
        }
        return TypeOf(schema) switch
        {
            "array" => new JsonArray(Instance(schema["items"] ?? new JsonObject { ["type"] = "string" })),
            "string" => "text",
            "integer" => (long)Math.Max(1, (double?)schema["minimum"] ?? 1),
            "number" => Math.Max(1.5, (double?)schema["minimum"] ?? 1.5),
            "boolean" => true,
            _ => new JsonObject((schema["properties"] as JsonObject ?? [])
                .Select(property => KeyValuePair.Create<string, JsonNode?>(property.Key, Instance(property.Value!)))),
        };
    }

    private static string? TypeOf(JsonNode schema) =>
        schema["type"] is JsonArray { Count: > 0 } types ? (string?)types[0] : (string?)schema["type"];
}
