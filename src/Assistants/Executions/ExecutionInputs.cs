using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stoa.Assistants.Executions;

/// <summary>The inputs of a task's form with their values, a JSON array of objects.</summary>
internal static class ExecutionInputs
{
    /// <summary>The form before anybody filled it in.</summary>
    public static string Empty(string form) => With(form, _ => null);

    /// <summary>Inputs that the form does not have are ignored.</summary>
    public static string Filled(string inputs, IReadOnlyDictionary<string, JsonElement> values) => With(inputs, input =>
        (string?)input["input_name"] is { } name && values.TryGetValue(name, out var value) ? Node(value) : input["value"]?.DeepClone());

    /// <summary>Null when no value is set.</summary>
    public static JsonElement? Shown(string inputs)
    {
        var shown = JsonElement.Parse(inputs);
        return shown.EnumerateArray()
            .Any(input => input.TryGetProperty("value", out var value) && value.ValueKind != JsonValueKind.Null) ? shown : null;
    }

    public static HashSet<string> Names(string inputs) =>
        [.. JsonNode.Parse(inputs)!.AsArray().OfType<JsonObject>().Select(input => input["input_name"] as JsonValue)
            .Where(name => name?.GetValueKind() == JsonValueKind.String).Select(name => name!.GetValue<string>())];

    private static string With(string form, Func<JsonObject, JsonNode?> value)
    {
        var inputs = JsonNode.Parse(form)!.AsArray();
        foreach (var input in inputs.OfType<JsonObject>())
        {
            input["value"] = value(input);
        }
        return inputs.ToJsonString();
    }

    private static JsonNode? Node(JsonElement value) => JsonNode.Parse(value.GetRawText());
}
