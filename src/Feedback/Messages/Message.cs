namespace Stoa.Feedback.Messages;

internal enum MessageRole
{
    Prompter,
    Assistant,
}

/// <summary>One text of a tree. Who wrote it is null for texts that nobody of ours wrote.</summary>
internal sealed record Message
{
    public required Guid Id { get; init; }
    public Guid? ParentId { get; init; }
    public required Guid MessageTreeId { get; init; }
    public Guid? TaskId { get; init; }
    public Guid? UserId { get; set; }
    public MessageRole Role { get; init; }
    public required Guid ApiClientId { get; init; }
    public required string FrontendMessageId { get; init; }
    public DateTimeOffset CreatedDate { get; init; }
    public required string Text { get; set; }
    public string Lang { get; init; } = "en";
    public int Depth { get; init; }

    /// <summary>Undeleted ones, whatever their review says.</summary>
    public int ChildrenCount { get; set; }
    public bool Deleted { get; set; }
    public int ReviewCount { get; set; }

    /// <summary>True when it was accepted, false when it was not, null while it is reviewed.</summary>
    public bool? ReviewResult { get; set; }
    public int RankingCount { get; set; }

    /// <summary>Its place among its siblings by consensus; 0 is the best.</summary>
    public int? Rank { get; set; }
    public bool Synthetic { get; init; }
    public bool Edited { get; set; }
    public string? ModelName { get; init; }

    /// <summary>Code: count, as JSON.</summary>
    public string? Emojis { get; set; }
}
