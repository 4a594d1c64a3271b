using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Providers.Demo;

/// <summary>
/// Makes an instance of a JSON schema. Same schema and seed, same instance. It guesses, checks its guess, and guesses again; a schema
/// that nothing can satisfy gets the last guess.
/// </summary>
internal sealed class SchemaSample
{
    private const int Attempts = 40;
    private const int RichDepth = 3;
    private const int MaxSteps = 2000;
    private const int MaxDepth = 50;
    private const int MaxItems = 1000;
    private const int MaxSchemaBytes = 256 << 10;

    private readonly JsonNode root;
    private readonly Random random;
    private readonly int attempt;
    private readonly SampleBudget budget;
    private int steps;
    private int nesting;

    private SchemaSample(JsonNode root, int seed, int attempt, SampleBudget budget)
    {
        this.root = root;
        this.budget = budget;
        this.attempt = attempt;
        random = new Random(unchecked(seed + attempt));
    }

    /// <param name="budget">Shared by all samples of a request.</param>
    /// <exception cref="Failure">The schema is larger than any real one.</exception>
    public static string Make(JsonElement schema, int seed, SampleBudget? budget = null)
    {
        if (JsonMarshal.GetRawUtf8Value(schema).Length > MaxSchemaBytes)
        {
            throw Failure.Invalid($"The demo provider reads schemas of at most {MaxSchemaBytes >> 10} KB", code: "schema_too_large");
        }
        var rules = NodeOf(schema) ?? new JsonObject();
        var purse = budget ?? new SampleBudget();
        JsonNode? sample = null;
        for (var guess = 0; guess < Attempts && !purse.IsSpent; guess++)
        {
            sample = new SchemaSample(rules, seed, guess, purse).Make(rules, 0);
            if (SchemaCheck.IsValid(sample, rules, rules, purse))
            {
                break;
            }
        }
        return sample?.ToJsonString(JsonSerializerOptions.Web) ?? "null";
    }

    /// <summary>Unlike the library's own, of a repeated key the last one counts.</summary>
    internal static JsonNode? NodeOf(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var holder = new JsonObject();
                foreach (var member in element.EnumerateObject())
                {
                    holder[member.Name] = NodeOf(member.Value);
                }
                return holder;
            case JsonValueKind.Array:
                return new JsonArray([.. element.EnumerateArray().Select(NodeOf)]);
            default:
                return JsonValue.Create(element.Clone());
        }
    }

    private JsonNode? Make(JsonNode? schema, int depth)
    {
        if (!budget.Spend(1))
        {
            return null;
        }
        var rules = Flatten(schema, depth);
        var value = MakePlain(rules, depth);
        if (!rules.ContainsKey("if"))
        {
            return value;
        }
        var branch = SchemaCheck.IsValid(value, rules["if"], root, budget) ? "then" : "else";
        return rules[branch] is JsonObject more ? MakePlain(Merge(rules, Flatten(more, depth)), depth) : value;
    }

    private JsonObject Merge(JsonObject one, JsonObject other) =>
        budget.Spend(one) && budget.Spend(other) ? SchemaMerge.Both(one, other) : one;

    // References followed, parts joined, alternatives decided.
    private JsonObject Flatten(JsonNode? schema, int depth)
    {
        if (schema is not JsonObject rules || ++steps > MaxSteps || depth > MaxDepth || nesting > MaxDepth || !budget.Spend(rules))
        {
            return [];
        }
        nesting++;
        var flat = (JsonObject)rules.DeepClone();
        flat.Remove("$ref");
        flat.Remove("allOf");
        flat.Remove("anyOf");
        flat.Remove("oneOf");
        if (SchemaCheck.TextOf(rules["$ref"]) is { } reference)
        {
            flat = Merge(Flatten(SchemaCheck.Resolve(root, reference), depth), flat);
        }
        foreach (var part in rules["allOf"] as JsonArray ?? [])
        {
            flat = Merge(flat, Flatten(part, depth));
        }
        foreach (var alternatives in new[] { rules["anyOf"], rules["oneOf"] }.OfType<JsonArray>().Where(list => list.Count > 0))
        {
            flat = Merge(flat, Flatten(Pick(alternatives, depth), depth));
        }
        nesting--;
        return flat;
    }

    // Deep down the simplest alternative ends a recursion; else the first that is more than null, and any of them on later attempts.
    private JsonNode? Pick(JsonArray alternatives, int depth)
    {
        if (depth >= RichDepth)
        {
            return alternatives.OrderBy(Weight).Skip(attempt > 5 ? random.Next(alternatives.Count) : 0).First();
        }
        return attempt == 0
            ? alternatives.FirstOrDefault(choice => SchemaCheck.TextOf((choice as JsonObject)?["type"]) != "null") ?? alternatives[0]
            : alternatives[random.Next(alternatives.Count)];
    }

    private static int Weight(JsonNode? schema) => schema is not JsonObject rules ? 3 : SchemaCheck.TextOf(rules["type"]) switch
    {
        "null" => 0,
        "string" or "number" or "integer" or "boolean" => 1,
        "array" => 2,
        "object" => 3,
        _ => rules.ContainsKey("const") || rules.ContainsKey("enum") ? 1 : 4,
    };

    private JsonNode? MakePlain(JsonObject rules, int depth)
    {
        if (rules.TryGetPropertyValue("const", out var constant))
        {
            return constant?.DeepClone();
        }
        if (rules["enum"] is JsonArray { Count: > 0 } choices)
        {
            var fitting = choices.Where(choice => SchemaCheck.IsValid(choice, rules, root, budget)).ToList();
            return (fitting.Count > 0 ? fitting[random.Next(fitting.Count)] : choices[0])?.DeepClone();
        }
        return TypeOf(rules, depth) switch
        {
            "object" => MakeObject(rules, depth),
            "array" => MakeArray(rules, depth),
            "integer" => JsonValue.Create(SchemaNumbers.Make(rules, isInteger: true, random, budget)),
            "number" => JsonValue.Create(SchemaNumbers.Make(rules, isInteger: false, random, budget)),
            "boolean" => JsonValue.Create(random.Next(2) == 0),
            "null" => null,
            _ => JsonValue.Create(SchemaStrings.Make(rules, random, attempt, budget)),
        };
    }

    private static string TypeOf(JsonObject rules, int depth)
    {
        if (rules["type"] is JsonArray { Count: > 0 } types)
        {
            var names = types.Select(SchemaCheck.TextOf).OfType<string>().ToList();
            return depth > RichDepth && names.Contains("null") ? "null" : names.Find(name => name != "null") ?? "null";
        }
        return SchemaCheck.TextOf(rules["type"]) ?? rules switch
        {
            _ when Has(rules, "properties", "required", "additionalProperties", "patternProperties", "minProperties") => "object",
            _ when Has(rules, "items", "prefixItems", "minItems", "contains") => "array",
            _ when Has(rules, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf") => "number",
            _ => "string",
        };
    }

    private static bool Has(JsonObject rules, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (rules.ContainsKey(key))
            {
                return true;
            }
        }
        return false;
    }

    private JsonObject MakeObject(JsonObject rules, int depth)
    {
        var made = new JsonObject();
        var properties = rules["properties"] as JsonObject ?? [];
        var names = (rules["required"] as JsonArray ?? []).Select(SchemaCheck.TextOf).OfType<string>().ToList();
        var most = (int)Math.Min(SchemaCheck.NumberOf(rules["maxProperties"]) ?? int.MaxValue, int.MaxValue);
        if (depth < RichDepth && attempt < Attempts / 2)
        {
            names.AddRange(properties.Where(member => member.Value?.GetValueKind() != JsonValueKind.False).Select(member => member.Key));
        }
        for (var i = 0; i < names.Count && !budget.IsSpent; i++)
        {
            if (made.ContainsKey(names[i]) || (made.Count >= most && i >= (rules["required"] as JsonArray)?.Count))
            {
                continue;
            }
            made[names[i]] = Make(SchemaOf(names[i], rules, properties), depth + 1);
            names.AddRange(((rules["dependentRequired"] as JsonObject)?[names[i]] as JsonArray ?? [])
                .Select(SchemaCheck.TextOf).OfType<string>());
        }
        Fill(made, rules, properties, depth);
        return made;
    }

    private void Fill(JsonObject made, JsonObject rules, JsonObject properties, int depth)
    {
        var least = Math.Min(SchemaCheck.NumberOf(rules["minProperties"]) ?? 0, 1000);
        foreach (var (name, schema) in properties)
        {
            if (made.Count < least && !made.ContainsKey(name))
            {
                made[name] = Make(schema, depth + 1);
            }
        }
        for (var i = 1; made.Count < least && i < 2000 && !budget.IsSpent; i++)
        {
            var pattern = (rules["patternProperties"] as JsonObject)?.FirstOrDefault().Key;
            var name = pattern is null ? $"demo_{i}" : SchemaStrings.FromPattern(pattern, random, i, budget) ?? $"demo_{i}";
            made[name] = Make(SchemaOf(name, rules, properties), depth + 1);
        }
    }

    private JsonNode? SchemaOf(string name, JsonObject rules, JsonObject properties)
    {
        var known = properties[name];
        foreach (var (pattern, schema) in rules["patternProperties"] as JsonObject ?? [])
        {
            if (SchemaCheck.Matches(pattern, name, budget))
            {
                known = known is null ? schema : new JsonObject { ["allOf"] = new JsonArray(known.DeepClone(), schema?.DeepClone()) };
            }
        }
        return known ?? rules["additionalProperties"];
    }

    private JsonArray MakeArray(JsonObject rules, int depth)
    {
        var made = new JsonArray();
        var prefix = rules["prefixItems"] as JsonArray ?? rules["items"] as JsonArray ?? [];
        var rest = rules["items"] is JsonArray ? rules["additionalItems"] : rules["items"];
        var least = (int)Math.Min(SchemaCheck.NumberOf(rules["minItems"]) ?? 0, 500);
        var most = (int)Math.Min(SchemaCheck.NumberOf(rules["maxItems"]) ?? int.MaxValue, int.MaxValue);
        var wanted = rules["contains"] is null ? 0 : (int)Math.Min(SchemaCheck.NumberOf(rules["minContains"]) ?? 1, 500);
        var rich = depth < RichDepth && rest?.GetValueKind() != JsonValueKind.False ? 2 : 0;
        var count = Math.Min(Math.Min(Math.Max(least, Math.Max(prefix.Count + wanted, rich)), most), MaxItems);
        var isUnique = rules["uniqueItems"]?.GetValueKind() == JsonValueKind.True;
        for (var tries = 0; made.Count < count && tries < count + 50 && !budget.IsSpent; tries++)
        {
            var place = made.Count;
            var schema = place < prefix.Count ? prefix[place] : rest;
            var item = place >= prefix.Count && place < prefix.Count + wanted && rules["contains"] is JsonObject contained
                ? Make(schema is JsonObject also
                    ? new JsonObject { ["allOf"] = new JsonArray(also.DeepClone(), contained.DeepClone()) } : contained, depth + 1)
                : Make(schema, depth + 1);
            if (!isUnique || (budget.Spend(made.Count / 16) && !made.Any(other => JsonNode.DeepEquals(other, item))))
            {
                made.Add(item);
            }
        }
        return made;
    }
}
