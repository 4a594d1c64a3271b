namespace Stoa.Platform.Identity;

/// <summary>A session as it is stored. It belongs to a person or to the holder of an API key; what has ended is deleted.</summary>
internal sealed class SessionRow
{
    public Guid Id { get; init; }

    public required byte[] TokenHash { get; set; }

    public Guid? PersonId { get; init; }

    public Guid? KeyId { get; init; }

    public string? KeyPrefix { get; init; }

    public Guid? OrganizationId { get; set; }

    public string? Address { get; init; }

    public string? UserAgent { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset LastSeenAt { get; set; }

    public DateTimeOffset ExpiresAt { get; init; }
}
