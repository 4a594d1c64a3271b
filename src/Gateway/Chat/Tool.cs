using System.Text.Json;

namespace Stoa.Gateway.Chat;

internal sealed record Tool(string Name, string? Description = null, JsonElement? Schema = null, bool? Strict = null)
{
    public CacheHint? Cache { get; init; }

    /// <summary>Set for a tool that only the source dialect understands (a server tool, a custom tool): its definition as sent.</summary>
    public JsonElement? Native { get; init; }
}

/// <param name="Name">The one tool that must be called, with <see cref="ToolChoiceMode.One"/>.</param>
/// <param name="Allowed">The tools that <see cref="ToolChoiceMode.Auto"/> or <see cref="ToolChoiceMode.Required"/> may pick from; null
/// means all.</param>
internal sealed record ToolChoice(ToolChoiceMode Mode, string? Name = null, IReadOnlyList<string>? Allowed = null);

internal enum ToolChoiceMode
{
    Auto,
    None,
    Required,
    One,
}
