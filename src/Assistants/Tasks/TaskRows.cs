namespace Stoa.Assistants.Tasks;

internal enum TaskType
{
    Instruct,
    Workflow,
}

/// <summary>Something that the assistant can do.</summary>
internal sealed class TaskRow
{
    public int Id { get; init; }

    public required TaskType Type { get; init; }

    public required string NameForSystem { get; init; }

    public required string DefinitionForSystem { get; set; }

    public string FinalInstruction { get; set; } = "";

    public string Icon { get; set; } = "";

    public int? OutputTextTypeId { get; set; }

    public string? OutputFormatInstructionTitle { get; set; }

    public string? OutputFormatInstructionDraft { get; set; }

    /// <summary>JSON.</summary>
    public string? InfosToExtract { get; set; }

    public string[] Platforms { get; set; } = ["webapp", "mobile"];
}

/// <summary>A task that a user has.</summary>
internal sealed class UserTaskRow
{
    public int Id { get; init; }

    public required string UserId { get; init; }

    public required int TaskId { get; init; }

    public bool IsEnabled { get; set; } = true;
}
