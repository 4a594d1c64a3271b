namespace Stoa.Gateway.Chat;

/// <param name="Name">The speaker's name, which only OpenAI's dialect knows.</param>
internal sealed record Turn(TurnRole Role, IReadOnlyList<Part> Parts, string? Name = null);

internal enum TurnRole
{
    /// <summary>A system message in the middle of the conversation.</summary>
    System,
    User,
    Assistant,
    /// <summary>Holds nothing but <see cref="Part.ToolResult"/>: all results of the assistant turn before it.</summary>
    Tool,
}
