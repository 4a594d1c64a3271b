namespace Stoa.Feedback.Rankings;

internal enum ReactionKind
{
    Ranking,
    Rating,
}

/// <summary>A ranking or a rating, given in answer to a task.</summary>
internal sealed record Reaction
{
    public required Guid TaskId { get; init; }
    public required Guid UserId { get; set; }
    public DateTimeOffset CreatedDate { get; init; }
    public required Guid ApiClientId { get; init; }
    public ReactionKind Kind { get; init; }
    public Guid? MessageId { get; init; }
    public Guid? MessageTreeId { get; init; }
    public Guid? RankingParentId { get; init; }

    /// <summary>As it was sent: indexes into what was shown.</summary>
    public int[]? Ranking { get; init; }

    /// <summary>Best first.</summary>
    public Guid[]? RankedIds { get; init; }
    public bool? NotRankable { get; init; }
    public int? Rating { get; init; }
}
