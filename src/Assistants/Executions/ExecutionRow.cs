namespace Stoa.Assistants.Executions;

/// <summary>A user doing a task with the assistant, once; what is said about it is said in its session.</summary>
internal sealed class ExecutionRow
{
    public int Id { get; init; }

    public required int UserTaskId { get; init; }

    public required string UserId { get; init; }

    public required string SessionId { get; init; }

    /// <summary>The execution whose follow-up this one is.</summary>
    public int? ParentId { get; init; }

    public int? PurchaseId { get; set; }

    /// <summary>The inputs of the task's form with their values, a JSON array.</summary>
    public string JsonInputValues { get; set; } = "[]";

    public string? Title { get; set; }

    public string? Summary { get; set; }

    /// <summary>The newest message that the stored title and summary know of.</summary>
    public int? SummarizedMessageId { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    public DateTimeOffset? TodosExtractedAt { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
}
