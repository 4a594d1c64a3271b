namespace Stoa.Platform.Identity;

/// <summary>Proof that whoever sets the installation up can read its log.</summary>
internal sealed class SetupToken
{
    public required byte[] TokenHash { get; init; }

    public DateTimeOffset ExpiresAt { get; init; }
}
