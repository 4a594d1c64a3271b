namespace Stoa.Learning.Files;

/// <summary>A file that somebody brought in; its bytes are in the storage.</summary>
internal sealed class FileRow
{
    public required Guid Id { get; init; }

    /// <summary>Null where nobody is known, in the mode Open.</summary>
    public required int? UserId { get; init; }

    public required string Extension { get; init; }

    public required string ContentType { get; init; }

    public long? Bytes { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
}
