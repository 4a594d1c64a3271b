using System.ComponentModel.DataAnnotations;

namespace Stoa.Assistants.Todos;

/// <summary>Section <c>Assistants:Todos</c>.</summary>
internal sealed class TodoOptions
{
    public const string Section = "Assistants:Todos";

    /// <summary>So often a to-do is moved to another day; then the user is asked whether it shall go.</summary>
    [Range(0, 1_000)]
    public int MaxReschedules { get; set; } = 10;

    /// <summary>So long nobody has changed an execution's result before to-dos are looked for in it.</summary>
    [Range(0, 1_440)]
    public int QuietMinutes { get; set; } = 10;
}
