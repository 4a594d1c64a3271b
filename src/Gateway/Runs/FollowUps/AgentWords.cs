using System.Text.Json.Nodes;

namespace Stoa.Gateway.Runs.FollowUps;

/// <summary>The prompt of an agent's document, as words for a model that is to judge it.</summary>
internal static class AgentWords
{
    private const int MostLetters = 60_000;

    /// <summary>Null where there is none yet.</summary>
    public static string? OfPrompt(JsonObject document)
    {
        var prompt = document.Object("configuration")?["prompt"];
        var words = prompt is JsonObject parts
            ? string.Join('\n',
                parts.Where(part => !string.IsNullOrWhiteSpace(part.Value.AsText())).Select(part => $"{part.Key}: {part.Value.AsText()}"))
            : prompt.AsText() ?? "";
        return string.IsNullOrWhiteSpace(words) ? null : words[..Math.Min(words.Length, MostLetters)];
    }
}
