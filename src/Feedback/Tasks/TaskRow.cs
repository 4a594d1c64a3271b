namespace Stoa.Feedback.Tasks;

/// <summary>Something that a user was asked to do.</summary>
internal sealed record TaskRow
{
    public required Guid Id { get; init; }
    public DateTimeOffset CreatedDate { get; init; }
    public DateTimeOffset? ExpiryDate { get; init; }
    public Guid? UserId { get; set; }

    /// <summary>As on the wire.</summary>
    public required string Type { get; init; }

    /// <summary>Of a label task: <c>simple</c> or <c>full</c>.</summary>
    public string? Mode { get; init; }
    public string[]? ValidLabels { get; init; }
    public string[]? MandatoryLabels { get; init; }

    /// <summary>Of a ranking task: the replies in the order in which they were shown.</summary>
    public Guid[]? RankedIds { get; init; }
    public required Guid ApiClientId { get; init; }
    public bool? Ack { get; set; }
    public bool Done { get; set; }
    public bool Skipped { get; set; }
    public string? SkipReason { get; set; }

    /// <summary>With which it was acknowledged.</summary>
    public string? FrontendMessageId { get; set; }
    public Guid? MessageTreeId { get; init; }

    /// <summary>The message to be answered or labelled, or whose replies are to be ranked.</summary>
    public Guid? ParentMessageId { get; init; }
    public bool Collective { get; init; }
}
