namespace Stoa.Assistants.Purchases;

/// <summary>What gives access to tasks.</summary>
internal sealed class ProductRow
{
    public int Id { get; init; }

    public required string Label { get; init; }

    public bool IsFree { get; init; }

    /// <summary>Null: for ever.</summary>
    public int? DaysValid { get; init; }

    /// <summary>Executions that one purchase pays for; null: any number.</summary>
    public int? TasksLimit { get; init; }
}

internal sealed class ProductTaskRow
{
    public required int ProductId { get; init; }

    public required int TaskId { get; init; }
}

internal sealed class PurchaseRow
{
    public int Id { get; init; }

    public required string UserId { get; init; }

    public required int ProductId { get; init; }

    public bool IsActive { get; set; } = true;

    public required DateTimeOffset CreatedAt { get; init; }
}
