namespace Stoa.Learning.PublicApi;

/// <summary>A key of an organization for its own programs.</summary>
internal sealed class ApiKeyRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int OrgId { get; init; }

    public string Name { get; init; } = "";

    /// <summary>SHA-256 of the whole key, in hexadecimal.</summary>
    public required string HashedKey { get; init; }

    public int? CreatedBy { get; init; }

    public DateTimeOffset? LastUsedAt { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? DeletedAt { get; set; }
}
