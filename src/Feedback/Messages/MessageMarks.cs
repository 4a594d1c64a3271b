namespace Stoa.Feedback.Messages;

internal sealed record MessageEmoji
{
    public required Guid MessageId { get; init; }
    public required Guid UserId { get; set; }
    public required string Emoji { get; init; }
    public DateTimeOffset CreatedDate { get; init; }
}

/// <summary>A text that a message had, or has; the first is the original.</summary>
internal sealed record Revision
{
    public required Guid Id { get; init; }
    public required string Text { get; init; }
    public required Guid MessageId { get; init; }
    public Guid? UserId { get; set; }
    public DateTimeOffset? CreatedDate { get; init; }
}

/// <summary>A message that somebody has put a red flag on.</summary>
internal sealed record FlaggedMessage
{
    public required Guid MessageId { get; init; }
    public bool Processed { get; set; }
    public DateTimeOffset CreatedDate { get; init; }
}
