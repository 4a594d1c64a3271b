namespace Stoa.Platform.Identity;

/// <summary>That a person belongs to an organization, and as what.</summary>
public sealed class Membership
{
    public Guid OrganizationId { get; init; }

    public Guid PersonId { get; init; }

    public MemberRole Role { get; set; }

    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A member that is no person: a program, which calls with keys of its own. They end with it.</summary>
public sealed class Principal
{
    public Guid Id { get; init; }

    public Guid OrganizationId { get; init; }

    public required string Name { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? RemovedAt { get; set; }
}

/// <summary>That an organization asks somebody in. The link's token is kept as a hash.</summary>
public sealed class Invitation
{
    public Guid Id { get; init; }

    public Guid OrganizationId { get; init; }

    public required string Email { get; init; }

    public required string EmailKey { get; init; }

    public MemberRole Role { get; init; }

    public required byte[] TokenHash { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? AcceptedAt { get; set; }

    public Guid? AcceptedBy { get; set; }

    public DateTimeOffset? RevokedAt { get; set; }
}
