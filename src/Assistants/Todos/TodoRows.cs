namespace Stoa.Assistants.Todos;

/// <summary>Something that a user means to do by a day.</summary>
internal sealed class TodoRow
{
    public int Id { get; init; }

    public required string UserId { get; init; }

    /// <summary>Null: the user wrote it by hand.</summary>
    public int? TaskExecutionId { get; init; }

    public required string Description { get; init; }

    /// <summary>See <see cref="TodoDates.KeyOf"/>.</summary>
    public required string ContentKey { get; init; }

    /// <summary>The newest of its schedulings.</summary>
    public required DateOnly ScheduledDate { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? CompletedAt { get; set; }

    public DateTimeOffset? ReadAt { get; set; }

    public DateTimeOffset? DeletedByUserAt { get; set; }

    public DateTimeOffset? DeletedByMojoAt { get; set; }

    public string? DeletionJustification { get; set; }

    /// <summary>Moved too often: it stays where it is, and the user is asked whether it shall go.</summary>
    public DateTimeOffset? DeletionProposedAt { get; set; }
}
