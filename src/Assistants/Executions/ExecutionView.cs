using System.Text.Json;
using System.Text.Json.Serialization;
using Stoa.Assistants.Tasks;

namespace Stoa.Assistants.Executions;

/// <summary>An execution as a client shows it. Times are the user's own.</summary>
internal sealed record ExecutionView
{
    public required int UserTaskExecutionPk { get; init; }

    public DateTimeOffset? StartDate { get; init; }

    public DateTimeOffset? EndDate { get; init; }

    /// <summary>With <c>task_type</c> only where one is read.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? DeletedByUser { get; init; }

    public string? Title { get; init; }

    public string? Summary { get; init; }

    public required string SessionId { get; init; }

    /// <summary>Null when no value is set.</summary>
    [JsonPropertyName("json_inputs_values")]
    public JsonElement? JsonInputsValues { get; init; }

    public required string Icon { get; init; }

    public required string TaskName { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TaskType { get; init; }

    public IReadOnlyList<JsonElement> Actions { get; } = [];

    public required int UserTaskPk { get; init; }

    public required int NTodos { get; init; }

    public required int NNotReadTodos { get; init; }

    public int? ProducedTextPk { get; init; }

    public string? ProducedTextTitle { get; init; }

    public string? ProducedTextProduction { get; init; }

    public int? ProducedTextVersionPk { get; init; }

    /// <summary>From 1 on: which of its versions the newest is.</summary>
    public int? ProducedTextVersionIndex { get; init; }

    public IReadOnlyList<JsonElement> TaskToolExecutions { get; } = [];

    public IReadOnlyList<JsonElement> TextEditActions { get; } = [];

    public required bool WorkingOnTodos { get; init; }

    /// <summary>Of workflows.</summary>
    public IReadOnlyList<StepExecutionView>? StepExecutions { get; init; }

    public IReadOnlyList<UserTasksApi.TaskStep>? Steps { get; init; }
}

internal sealed record StepExecutionView(
    [property: JsonPropertyName("user_workflow_step_execution_pk")] int Id, int WorkflowStepPk, string StepNameForUser,
    JsonElement Parameter, JsonElement? Result, JsonElement? ErrorStatus);

/// <summary>One version of what was produced; all but the first are left out when there is none.</summary>
internal sealed record VersionView(int? ProducedTextVersionPk)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ProducedTextPk { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ProducedTextTitle { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ProducedTextProduction { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ProducedTextVersionIndex { get; init; }
}
