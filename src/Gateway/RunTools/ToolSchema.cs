using System.Text.Json.Nodes;
using Stoa.Gateway.Runs;

namespace Stoa.Gateway.RunTools;

/// <summary>Turns the <c>fields</c> of GTWY's tools, of either generation, into JSON Schema.</summary>
internal static class ToolSchema
{
    private const int MaxDepth = 16;
    private const int MaxName = 64;

    /// <param name="required">Names of fields that must be there.</param>
    public static JsonObject Of(JsonObject? fields, JsonArray? required)
    {
        var properties = Properties(fields, MaxDepth);
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        AddRequired(schema, required, properties);
        return schema;
    }

    /// <summary>A name that every provider takes.</summary>
    public static string NameOf(string title)
    {
        var name = string.Concat(title.Trim().Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' ? letter : '_'));
        return name.Length is 0 ? "tool" : name.Length > MaxName ? name[..MaxName] : name;
    }

    private static JsonObject Properties(JsonObject? fields, int depth)
    {
        var properties = new JsonObject();
        foreach (var (name, field) in fields ?? [])
        {
            if (field is JsonObject known && depth > 0)
            {
                properties[name] = Property(known, depth - 1);
            }
        }
        return properties;
    }

    private static JsonObject Property(JsonObject field, int depth)
    {
        var type = field.Name("type") ?? "string";
        var schema = new JsonObject { ["type"] = type };
        if (field.Name("description") is { } description)
        {
            schema["description"] = description;
        }
        if (field.List("enum") is { Count: > 0 } choices)
        {
            schema["enum"] = choices.DeepClone();
        }
        if (type == "array")
        {
            schema["items"] = field.Object("items") is { Count: > 0 } items
                ? Property(items, depth) : new JsonObject { ["type"] = "string" };
        }
        if (type == "object")
        {
            var properties = Properties(field.Object("properties") ?? field.Object("parameter"), depth);
            schema["properties"] = properties;
            AddRequired(schema, field.List("required") ?? field.List("required_params"), properties);
        }
        return schema;
    }

    private static void AddRequired(JsonObject schema, JsonArray? required, JsonObject properties)
    {
        if (required.Texts().Where(properties.ContainsKey).Distinct(StringComparer.Ordinal).ToList() is { Count: > 0 } names)
        {
            schema["required"] = new JsonArray([.. names.Select(name => (JsonNode)name)]);
        }
    }
}
