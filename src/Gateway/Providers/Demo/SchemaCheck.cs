using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Stoa.Gateway.Providers.Demo;

/// <summary>Whether a value is an instance of a JSON schema: the keywords that structured output uses.</summary>
internal sealed class SchemaCheck
{
    private const int MaxDepth = 64;

    private const int MaxSteps = 50_000;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);

    private readonly JsonNode root;
    private readonly SampleBudget budget;
    private int steps;

    private SchemaCheck(JsonNode root, SampleBudget budget) => (this.root, this.budget) = (root, budget);

    /// <summary>Bounded work: what is too deep or too much counts as valid.</summary>
    public static bool IsValid(JsonNode? value, JsonNode? schema, JsonNode root, SampleBudget? budget = null) =>
        new SchemaCheck(root, budget ?? new()).IsValid(value, schema, 0);

    internal static JsonNode? Resolve(JsonNode root, string reference)
    {
        if (!reference.StartsWith('#'))
        {
            return null;
        }
        var node = (JsonNode?)root;
        foreach (var step in reference[1..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = Uri.UnescapeDataString(step).Replace("~1", "/", StringComparison.Ordinal)
                .Replace("~0", "~", StringComparison.Ordinal);
            node = node switch
            {
                JsonObject holder => holder[name],
                JsonArray list when int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
                && index < list.Count => list[index],
                _ => null,
            };
        }
        return node;
    }

    internal static decimal? NumberOf(JsonNode? node) =>
        node?.GetValueKind() == JsonValueKind.Number
        && decimal.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    internal static string? TextOf(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    internal static bool Matches(string pattern, string text, SampleBudget budget)
    {
        if (!budget.Spend(50 + (text.Length / 16)))
        {
            return true;
        }
        try
        {
            return Regex.IsMatch(text, pattern, RegexOptions.ECMAScript, Patience);
        }
        catch (Exception exception) when (exception is ArgumentException or RegexMatchTimeoutException)
        {
            budget.Spend(exception is RegexMatchTimeoutException ? 50_000 : 0);
            return true;
        }
    }

    private bool IsValid(JsonNode? value, JsonNode? schema, int depth)
    {
        if (schema is not JsonObject rules || depth > MaxDepth || ++steps > MaxSteps || !budget.Spend(1))
        {
            return schema?.GetValueKind() != JsonValueKind.False;
        }
        bool Fits(JsonNode? other) => IsValid(value, other, depth + 1);

        return (TextOf(rules["$ref"]) is not { } reference || Fits(Resolve(root, reference)))
            && (!rules.TryGetPropertyValue("const", out var constant) || JsonNode.DeepEquals(value, constant))
            && (rules["enum"] is not JsonArray choices || !budget.Spend(choices.Count)
                || choices.Any(choice => JsonNode.DeepEquals(value, choice)))
            && (rules["type"] is not { } type || IsOfType(value, type))
            && (rules["allOf"] is not JsonArray all || all.All(Fits))
            && (rules["anyOf"] is not JsonArray any || any.Any(Fits))
            && (rules["oneOf"] is not JsonArray one || one.Count(Fits) == 1)
            && (!rules.ContainsKey("not") || !Fits(rules["not"]))
            && (!rules.ContainsKey("if") || Fits(Fits(rules["if"]) ? rules["then"] : rules["else"]))
            && value switch
            {
                JsonObject holder => FitsObject(holder, rules, depth),
                JsonArray list => FitsArray(list, rules, depth),
                not null when NumberOf(value) is { } number => FitsNumber(number, rules),
                not null when TextOf(value) is { } text => FitsText(text, rules),
                _ => true,
            };
    }

    private static bool IsOfType(JsonNode? value, JsonNode type) => type is JsonArray types
        ? types.Any(one => one is not null && IsOfType(value, one))
        : (TextOf(type), value?.GetValueKind() ?? JsonValueKind.Null) switch
        {
            ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) => true,
            ("number", JsonValueKind.Number) or ("null", JsonValueKind.Null) => true,
            ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
            ("integer", JsonValueKind.Number) => NumberOf(value) is { } number && number % 1 == 0,
            _ => false,
        };

    private bool FitsObject(JsonObject holder, JsonObject rules, int depth)
    {
        var properties = rules["properties"] as JsonObject;
        var patterns = rules["patternProperties"] as JsonObject;
        foreach (var (name, member) in holder)
        {
            var known = properties?.ContainsKey(name) == true;
            if (known && !IsValid(member, properties![name], depth + 1))
            {
                return false;
            }
            foreach (var (pattern, rule) in patterns ?? [])
            {
                if (Matches(pattern, name, budget))
                {
                    known = true;
                    if (!IsValid(member, rule, depth + 1))
                    {
                        return false;
                    }
                }
            }
            if (!known && !IsValid(member, rules["additionalProperties"], depth + 1))
            {
                return false;
            }
            if (!IsValid(JsonValue.Create(name), rules["propertyNames"], depth + 1))
            {
                return false;
            }
            if (rules["dependentRequired"] is JsonObject needs && needs[name] is JsonArray others
                && !others.All(other => holder.ContainsKey(TextOf(other) ?? "")))
            {
                return false;
            }
        }
        return (rules["required"] is not JsonArray required || required.All(name => TextOf(name) is not { } key || holder.ContainsKey(key)))
            && InRange(holder.Count, rules, "minProperties", "maxProperties");
    }

    private bool FitsArray(JsonArray list, JsonObject rules, int depth)
    {
        var prefix = rules["prefixItems"] as JsonArray ?? rules["items"] as JsonArray;
        for (var i = 0; i < list.Count; i++)
        {
            var rule = i < prefix?.Count ? prefix[i] : rules["items"] is JsonArray ? rules["additionalItems"] : rules["items"];
            if (!IsValid(list[i], rule, depth + 1))
            {
                return false;
            }
        }
        if (rules["contains"] is { } wanted)
        {
            var found = list.Count(item => IsValid(item, wanted, depth + 1));
            if (found < (NumberOf(rules["minContains"]) ?? 1) || found > (NumberOf(rules["maxContains"]) ?? int.MaxValue))
            {
                return false;
            }
        }
        var isUnique = rules["uniqueItems"]?.GetValueKind() != JsonValueKind.True
            || !budget.Spend((long)list.Count * list.Count / 16)
            || !list.Where((item, index) => list.Take(index).Any(other => JsonNode.DeepEquals(item, other))).Any();
        return isUnique && InRange(list.Count, rules, "minItems", "maxItems");
    }

    // An old draft wrote exclusive limits as flags beside the limit.
    private static bool FitsNumber(decimal number, JsonObject rules)
    {
        var excludesMinimum = rules["exclusiveMinimum"]?.GetValueKind() == JsonValueKind.True;
        var excludesMaximum = rules["exclusiveMaximum"]?.GetValueKind() == JsonValueKind.True;
        return InRange(number, rules, "minimum", "maximum")
            && (NumberOf(rules[excludesMinimum ? "minimum" : "exclusiveMinimum"]) is not { } above || number > above)
            && (NumberOf(rules[excludesMaximum ? "maximum" : "exclusiveMaximum"]) is not { } below || number < below)
            && (NumberOf(rules["multipleOf"]) is not { } step || step == 0 || number % step == 0);
    }

    private bool FitsText(string text, JsonObject rules) =>
        InRange(new StringInfo(text).LengthInTextElements, rules, "minLength", "maxLength")
        && (TextOf(rules["pattern"]) is not { } pattern || Matches(pattern, text, budget));

    private static bool InRange(decimal number, JsonObject rules, string least, string most) =>
        (NumberOf(rules[least]) is not { } from || number >= from) && (NumberOf(rules[most]) is not { } to || number <= to);
}
