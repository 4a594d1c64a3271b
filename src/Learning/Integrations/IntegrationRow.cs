namespace Stoa.Learning.Integrations;

/// <summary>A person's account at another service, with sealed tokens.</summary>
internal sealed class IntegrationRow : ISoftDeleted
{
    public int Id { get; init; }

    public required int UserId { get; init; }

    public required string IntegrationType { get; init; }

    public required byte[] AccessToken { get; set; }

    public byte[]? RefreshToken { get; set; }

    public DateTimeOffset? ExpiresAt { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? DeletedAt { get; set; }
}
