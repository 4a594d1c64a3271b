using System.Text.Json.Nodes;

namespace Stoa.Gateway.Providers.Demo;

/// <summary>Numbers for a schema: within its limits, a multiple of its step.</summary>
internal static class SchemaNumbers
{
    public static decimal Make(JsonObject rules, bool isInteger, Random random, SampleBudget budget)
    {
        const decimal Bound = 1e15m;
        // Beyond these bounds decimals overflow; no sample needs to go there.
        var step = SchemaCheck.NumberOf(rules["multipleOf"]) is >= 1e-9m and <= Bound and var multiple ? multiple : 0;
        if (isInteger)
        {
            step = step == 0 ? 1 : step % 1 == 0 ? step : step * Denominator(step);
        }
        var from = Math.Max(LimitOf("minimum") ?? -Bound, LimitOf("exclusiveMinimum") ?? -Bound);
        var to = Math.Min(LimitOf("maximum") ?? Bound, LimitOf("exclusiveMaximum") ?? Bound);
        var unit = step > 0 ? step : to - from is > 0 and < 1 ? (to - from) / 4 : 0.5m;
        var low = from <= -Bound ? Math.Min(0, to - (unit * 10)) : from;
        var first = Math.Ceiling(low / unit) * unit;
        if (step == 0 && first > to)
        {
            first = low;
        }
        var room = (int)Math.Clamp(Math.Floor((to - first) / unit), 0, 100);
        var value = first + (random.Next(room + 1) * unit);

        var limits = Limits(rules);
        // An excluded limit is left by one step inwards.
        if (!SchemaCheck.IsValid(JsonValue.Create(value), limits, limits, budget))
        {
            value = value + unit <= to && value <= from ? value + unit : value - unit;
        }
        return value;

        decimal? LimitOf(string rule) => SchemaCheck.NumberOf(rules[rule]) is { } limit ? Math.Clamp(limit, -Bound, Bound) : null;
    }

    private static JsonObject Limits(JsonObject rules) => new(rules
        .Where(rule => rule.Key is "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum")
        .Select(rule => KeyValuePair.Create(rule.Key, rule.Value?.DeepClone())));

    private static decimal Denominator(decimal step)
    {
        var factor = 1m;
        while (step * factor % 1 != 0 && factor < 1e9m)
        {
            factor *= 10;
        }
        return factor;
    }
}
