namespace Stoa.Feedback.Trees;

/// <summary>The state of a tree; its id is its root's.</summary>
internal sealed record TreeRow
{
    public required Guid MessageTreeId { get; init; }
    public int GoalTreeSize { get; init; }
    public int MaxDepth { get; init; }
    public int MaxChildrenCount { get; init; }
    public TreeState State { get; set; }
    public bool Active { get; set; }
    public string? Origin { get; init; }
    public DateTimeOffset? WonPromptLotteryDate { get; set; }
    public string Lang { get; init; } = "en";
}
