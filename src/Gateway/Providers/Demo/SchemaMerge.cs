using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stoa.Gateway.Providers.Demo;

/// <summary>Two schemas that must both hold, as one.</summary>
internal static class SchemaMerge
{
    public static JsonObject Both(JsonObject one, JsonObject other)
    {
        var merged = (JsonObject)one.DeepClone();
        foreach (var (key, value) in other)
        {
            merged[key] = merged.ContainsKey(key) ? Both(key, merged[key], value) : value?.DeepClone();
        }
        return merged;
    }

    private static JsonNode? Both(string key, JsonNode? one, JsonNode? other) => (key, one, other) switch
    {
        ("properties" or "patternProperties" or "$defs" or "definitions", JsonObject left, JsonObject right) => Members(left, right),
        ("required", JsonArray left, JsonArray right) => Copy(left.Concat(right).DistinctBy(name => name?.ToJsonString())),
        ("enum", JsonArray left, JsonArray right) => Copy(left.Where(choice => right.Any(same => JsonNode.DeepEquals(choice, same)))),
        ("type", _, _) => Types(one, other),
        ("minimum" or "exclusiveMinimum" or "minLength" or "minItems" or "minProperties", _, _) => Larger(one, other),
        ("maximum" or "exclusiveMaximum" or "maxLength" or "maxItems" or "maxProperties", _, _) => Larger(other, one),
        ("items" or "additionalProperties" or "not", JsonObject left, JsonObject right) => key == "not"
            ? new JsonObject { ["anyOf"] = new JsonArray(left.DeepClone(), right.DeepClone()) }
            : new JsonObject { ["allOf"] = new JsonArray(left.DeepClone(), right.DeepClone()) },
        ("items" or "additionalProperties", _, _) when one?.GetValueKind() == JsonValueKind.False => false,
        _ => other?.DeepClone(),
    };

    private static JsonObject Members(JsonObject left, JsonObject right)
    {
        var members = (JsonObject)left.DeepClone();
        foreach (var (name, schema) in right)
        {
            members[name] = members[name] is { } known
                ? new JsonObject { ["allOf"] = new JsonArray(known.DeepClone(), schema?.DeepClone()) } : schema?.DeepClone();
        }
        return members;
    }

    private static JsonArray Types(JsonNode? one, JsonNode? other)
    {
        var left = Names(one);
        var right = Names(other);
        var both = left.Where(right.Contains).ToList();
        if ((left.Contains("integer") && right.Contains("number")) || (left.Contains("number") && right.Contains("integer")))
        {
            both.Add("integer");
        }
        return [.. both.Distinct().Select(name => (JsonNode)name)];
    }

    private static List<string> Names(JsonNode? type) => type switch
    {
        JsonArray list => [.. list.Select(SchemaCheck.TextOf).OfType<string>()],
        _ => SchemaCheck.TextOf(type) is { } name ? [name] : [],
    };

    private static JsonNode? Larger(JsonNode? one, JsonNode? other) =>
        (SchemaCheck.NumberOf(one) ?? decimal.MinValue) >= (SchemaCheck.NumberOf(other) ?? decimal.MinValue)
            ? one?.DeepClone() : other?.DeepClone();

    private static JsonArray Copy(IEnumerable<JsonNode?> items) => [.. items.Select(item => item?.DeepClone())];
}
