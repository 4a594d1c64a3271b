namespace Stoa.Assistants.ProducedTexts;

/// <summary>Something that was written for a user. What it says stands in its versions, the newest counts.</summary>
internal sealed class ProducedTextRow
{
    public int Id { get; init; }

    public required string UserId { get; init; }

    public int? TaskExecutionId { get; init; }

    public string? SessionId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? DeletedAt { get; set; }
}

internal sealed class ProducedTextVersionRow
{
    public int Id { get; init; }

    public required int ProducedTextId { get; init; }

    public int? TextTypeId { get; init; }

    public string? Title { get; set; }

    public required string Production { get; init; }

    public float[]? Embedding { get; set; }

    public string? EmbeddingModel { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ReadAt { get; set; }
}
