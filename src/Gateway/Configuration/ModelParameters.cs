using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Configuration;

/// <summary>
/// Which parameters go to the model, and with which value. Names stay neutral; each wire has its own (<c>max_tokens</c>, <c>topP</c>).
/// </summary>
internal static class ModelParameters
{
    private const string Default = "default";

    // Far beyond any parameter, and far from what decimal arithmetic can hold.
    private const decimal MaxNumber = 1_000_000_000_000;
    private const decimal LeastStep = 0.000_000_001m;

    /// <summary>
    /// For each parameter that the model has: the request's value, else the stored one, else the model's default where its level is 1 or 2.
    /// <c>"default"</c> is not sent, <c>"max"</c> and <c>"min"</c> are the bounds; numbers are held within the bounds and to the step.
    /// The name of the model itself is left out.
    /// </summary>
    /// <param name="stored">The agent's <c>configuration</c>.</param>
    /// <param name="request">The request's <c>configuration</c>; null when it has none.</param>
    /// <exception cref="Failure">Invalid, naming the field.</exception>
    public static JsonObject Resolve(ModelDocument model, JsonElement stored, JsonObject? request = null)
    {
        var sent = new JsonObject();
        foreach (var rule in model.Parameters)
        {
            var given = request?[rule.Name] is { } own
                ? JsonSerializer.SerializeToElement(own, GatewayJson.Default.JsonNode)
                : stored.Member(rule.Name);
            if (ValueOf(model, rule, given) is { } value)
            {
                sent[rule.Name] = value;
            }
        }
        return sent;
    }

    /// <summary>
    /// The parameters of a configuration whose model has changed: what the new model knows keeps its value if that is valid there, what it
    /// does not know goes, what it adds is <c>"default"</c>. Everything that was no parameter of the old model stays.
    /// </summary>
    public static JsonObject Rederive(ModelDocument? old, ModelDocument next, JsonObject configuration)
    {
        var changed = configuration.DeepClone().AsObject();
        foreach (var gone in old?.Configuration.EnumerateObject()
            .Where(one => next.Configuration.Member(one.Name).ValueKind == JsonValueKind.Undefined) ?? [])
        {
            changed.Remove(gone.Name);
        }
        foreach (var rule in next.Parameters)
        {
            var value = changed[rule.Name];
            if (value is null || !IsValid(next, rule, JsonSerializer.SerializeToElement(value, GatewayJson.Default.JsonNode)))
            {
                changed[rule.Name] = Default;
            }
        }
        changed["model"] = next.ModelName;
        return changed;
    }

    private static bool IsValid(ModelDocument model, ParameterRule rule, JsonElement given)
    {
        try
        {
            var value = ValueOf(model, rule, given);
            return ModeOf(given) is not null || value is not JsonValue || !rule.IsNumber
                || (NumberOf(given) is { } asked && (decimal)value == asked);
        }
        catch (Failure)
        {
            return false;
        }
    }

    private static JsonNode? ValueOf(ModelDocument model, ParameterRule rule, JsonElement given)
    {
        if (!given.IsPresent())
        {
            return rule.IsSentUnasked ? NodeOf(rule.Default) : null;
        }
        return ModeOf(given) switch
        {
            Default => model.Service == "anthropic" && rule.Name == "max_tokens" ? NodeOf(rule.Default) : null,
            "max" => NodeOf(rule.Document.Member("max")),
            "min" => NodeOf(rule.Document.Member("min")),
            "custom" => Checked(rule, given.Member("value")),
            _ => Checked(rule, given),
        };
    }

    /// <summary>Null for a plain value.</summary>
    private static string? ModeOf(JsonElement given) => given.ValueKind switch
    {
        JsonValueKind.String when given.GetString() is Default or "max" or "min" => given.GetString(),
        JsonValueKind.Object when given.TextOf("mode") is Default or "max" or "min" or "custom" => given.TextOf("mode"),
        _ => null,
    };

    private static JsonNode? Checked(ParameterRule rule, JsonElement value) => rule.Field switch
    {
        _ when rule.IsNumber => JsonValue.Create(Within(rule, NumberOf(value) ?? throw Wrong(rule.Name, "must be a number"))),
        "boolean" => FlagOf(value) is { } flag ? JsonValue.Create(flag) : throw Wrong(rule.Name, "must be true or false"),
        "select" or "dropdown" or "drop" => Chosen(rule, value),
        "text" when value.ValueKind is not (JsonValueKind.String or JsonValueKind.Array) => throw Wrong(rule.Name, "must be a text"),
        _ => NodeOf(value),
    };

    internal static decimal? NumberOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetDecimal(out var number) && Math.Abs(number) <= MaxNumber => number,
        JsonValueKind.String when decimal.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && Math.Abs(number) <= MaxNumber => number,
        JsonValueKind.Object when value.TextOf("mode") == "custom" => NumberOf(value.Member("value")),
        _ => null,
    };

    private static bool? FlagOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String when bool.TryParse(value.GetString(), out var flag) => flag,
        _ => null,
    };

    private static decimal Within(ParameterRule rule, decimal value)
    {
        var (least, most, step) = (rule.Least, rule.Most, rule.Step);
        value = Bounded(value, least, most);
        if (step >= LeastStep)
        {
            var from = least ?? 0;
            value = Bounded(from + (decimal.Round((value - from) / step.Value, MidpointRounding.AwayFromZero) * step.Value), least, most);
        }
        return value / 1.000000000000000000000000000000000m;
    }

    private static decimal Bounded(
        decimal value, decimal? least, decimal? most) => value < least ? least.Value : value > most ? most.Value : value;

    /// <summary>
    /// One of the options. Options that are objects are told apart by their <c>type</c>, which is also enough to name one.
    /// </summary>
    private static JsonNode? Chosen(ParameterRule rule, JsonElement value)
    {
        if (rule.Document.Member("options") is not { ValueKind: JsonValueKind.Array } options || options.GetArrayLength() == 0)
        {
            return NodeOf(value);
        }
        var named = value.TextOf("type") ?? value.TextOf("key") ?? value.AsText();
        foreach (var option in options.EnumerateArray())
        {
            if (JsonElement.DeepEquals(option, value))
            {
                return NodeOf(value);
            }
            if (named is not null && (option.TextOf("type") ?? option.TextOf("key") ?? option.AsText()) == named)
            {
                return value.ValueKind == JsonValueKind.Object ? NodeOf(value) : NodeOf(option);
            }
        }
        throw Wrong(rule.Name, "must be one of the options of the model");
    }

    private static JsonNode? NodeOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => JsonObject.Create(element),
        JsonValueKind.Array => JsonArray.Create(element),
        JsonValueKind.Undefined or JsonValueKind.Null => null,
        JsonValueKind.String when element.GetString() == Default => null,
        _ => JsonValue.Create(element),
    };

    private static Failure Wrong(
        string name, string problem) => Failure.Invalid($"configuration.{name} {problem}", $"configuration.{name}", "invalid_parameter");
}

/// <summary>What a model says of one of its parameters, read once.</summary>
internal sealed class ParameterRule(string name, JsonElement document)
{
    private const int Required = 1;
    private const int SentByDefault = 2;

    public string Name => name;

    public JsonElement Document => document;

    /// <summary>How it is shown: <c>slider</c>, <c>number</c>, <c>boolean</c>, <c>select</c>, <c>text</c> and the like.</summary>
    public string? Field { get; } = document.TextOf("field");

    public bool IsNumber => Field is "slider" or "number";

    public JsonElement Default { get; } = document.Member("default");

    /// <summary>With its default, where nobody gives a value.</summary>
    public bool IsSentUnasked { get; } = document.Member("level") is { ValueKind: JsonValueKind.Number } level
        && level.TryGetInt32(out var number) && (number is Required or SentByDefault);

    public decimal? Least { get; } = ModelParameters.NumberOf(document.Member("min"));

    public decimal? Most { get; } = ModelParameters.NumberOf(document.Member("max"));

    public decimal? Step { get; } = ModelParameters.NumberOf(document.Member("step"));
}
