namespace Stoa.Assistants.Documents;

internal enum DocumentType
{
    /// <summary>Written or uploaded by the user, or learned from him.</summary>
    LearnedByMojo,
    Webpage,
}

internal sealed class DocumentRow
{
    public int Id { get; init; }

    public required string UserId { get; init; }

    public int? WebsiteId { get; set; }

    public required DocumentType DocumentType { get; init; }

    /// <summary>Of a page its address.</summary>
    public required string Name { get; init; }

    public string Title { get; set; } = "";

    public string Language { get; set; } = "";

    public byte[]? ContentHash { get; set; }

    public string? Etag { get; set; }

    public string? LastModified { get; set; }

    public int Version { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? UpdatedAt { get; set; }

    public DateTimeOffset? CheckedAt { get; set; }

    /// <summary>Why it is not what it should be; null: nothing is wrong.</summary>
    public string? UpdateError { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }

    public bool IsDeletedByUser { get; set; }
}
