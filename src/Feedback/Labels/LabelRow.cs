namespace Stoa.Feedback.Labels;

/// <summary>What a user said of a message; in answer to a task it is a review.</summary>
internal sealed record LabelRow
{
    public required Guid Id { get; init; }
    public required Guid UserId { get; set; }
    public DateTimeOffset CreatedDate { get; init; }
    public required Guid ApiClientId { get; init; }
    public required string Text { get; init; }
    public Guid? MessageId { get; init; }

    /// <summary>Name of the label: number from 0 to 1, as JSON.</summary>
    public required string Labels { get; init; }
    public Guid? TaskId { get; init; }
}
