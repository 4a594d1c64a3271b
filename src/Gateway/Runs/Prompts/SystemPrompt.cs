using System.Text.Json.Nodes;

namespace Stoa.Gateway.Runs.Prompts;

/// <summary>What a prompt is made of besides the agent's own words.</summary>
/// <param name="Template">Wraps the prompt at its <c>{{system_prompt}}</c>.</param>
/// <param name="Memory">What the agent keeps in mind of the conversation; text that is no template.</param>
/// <param name="Summary">Stands for the older part of the conversation; text that is no template.</param>
/// <param name="WantsJson">The answer is to be one JSON object, which some providers want to see said.</param>
internal sealed record PromptParts(
    JsonNode? Prompt, string? Template = null, string? Tone = null, string? Style = null, string? Knowledge = null, string? Memory = null,
    string? Summary = null, bool WantsJson = false);

/// <summary>Puts the system text together, in the order that stored prompts count on.</summary>
internal static class SystemPrompt
{
    private const string Placeholder = "{{system_prompt}}";

    /// <param name="missing">Gets the names of variables that have no value.</param>
    /// <returns>The text, and what of it says the same at any time.</returns>
    public static (string Text, string Timeless) Write(PromptParts parts, Variables variables, ISet<string> missing)
    {
        var template = Base(parts.Prompt);
        if (parts.Template is { } wrapper && wrapper.Contains(Placeholder, StringComparison.Ordinal))
        {
            template = wrapper.Replace(Placeholder, template, StringComparison.Ordinal);
        }
        template += Given("\n\nTone Prompt: ", parts.Tone)
            + Given("\n\nResponse Style Prompt: ", parts.Style) + Given("\n\n", parts.Knowledge);
        var text = Interpolation.Apply(template, variables.Find, missing);
        text += Given("\n\nWhat you keep in mind of this conversation: ", parts.Memory)
            + Given("\n\nSummary of the earlier conversation: ", parts.Summary);
        if (parts.WantsJson && !text.Contains("JSON", StringComparison.OrdinalIgnoreCase))
        {
            text += "\n\nAnswer with a JSON object.";
        }
        return (text + " \n ### CURRENT TIME (For reference only) \n" + variables.Find(Variables.CurrentTime), text);
    }

    /// <summary>A text; or role, goal and instruction; or, for embedded folders, their own fields around a <c>customPrompt</c>.</summary>
    public static string Base(JsonNode? prompt)
    {
        if (prompt is not JsonObject fields)
        {
            return prompt.AsText() ?? "";
        }
        if (fields.Text("customPrompt") is { } custom)
        {
            return Interpolation.Apply(custom, name => fields[name] is { } value ? value.AsWords() : null);
        }
        if (fields.ContainsKey("role") || fields.ContainsKey("goal") || fields.ContainsKey("instruction"))
        {
            return $"Role: {fields.Text("role")}\nGoal: {fields.Text("goal")}\nInstruction: {fields.Text("instruction")}";
        }
        return string.Join('\n', fields.Where(field => field.Value is not null).Select(field => $"{field.Key}: {field.Value.AsWords()}"));
    }

    private static string Given(string before, string? part) => string.IsNullOrWhiteSpace(part) ? "" : before + part;
}
