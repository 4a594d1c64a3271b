using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stoa.Gateway.Agents;

/// <summary>Whether something can be the JSON schema of an answer at all. What exactly a provider takes, only he knows.</summary>
internal static class SchemaShape
{
    private static readonly string[] Types = ["string", "number", "integer", "boolean", "object", "array", "null"];

    /// <param name="node">A schema, bare or as <c>{name, schema}</c>, or the text of one.</param>
    /// <returns>Null when it is one.</returns>
    public static string? ProblemOf(JsonNode? node)
    {
        if (node?.GetValueKind() == JsonValueKind.String)
        {
            try
            {
                node = JsonNode.Parse(node.GetValue<string>(), documentOptions: new() { MaxDepth = 40 });
            }
            catch (JsonException)
            {
                return "it is not JSON";
            }
        }
        return node is not JsonObject holder ? "it is not an object"
            : holder["schema"] is { } inner ? inner is JsonObject schema ? Problem(schema) : "schema is not an object"
            : Problem(holder);
    }

    private static string? Problem(JsonObject schema)
    {
        if (schema["type"] is { } type && !TypesOf(type).All(name => Types.Contains(name, StringComparer.Ordinal)))
        {
            return "type is none of JSON's";
        }
        if (schema["properties"] is { } properties)
        {
            if (properties is not JsonObject fields)
            {
                return "properties is not an object";
            }
            foreach (var (name, field) in fields)
            {
                if (field is not JsonObject one)
                {
                    return $"properties.{name} is not an object";
                }
                if (Problem(one) is { } problem)
                {
                    return $"properties.{name}: {problem}";
                }
            }
        }
        return schema["required"] is { } required
            && (required is not JsonArray names || names.Any(name => name?.GetValueKind() != JsonValueKind.String))
            ? "required is not a list of names"
            : schema["items"] is JsonObject items ? Problem(items)
            : schema["enum"] is { } and not JsonArray ? "enum is not a list"
            : null;
    }

    private static IEnumerable<string?> TypesOf(JsonNode type) =>
        (type as JsonArray ?? [type.DeepClone()])
            .Select(name => name?.GetValueKind() == JsonValueKind.String ? name.GetValue<string>() : null);
}
