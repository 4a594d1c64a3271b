using System.ComponentModel.DataAnnotations;

namespace Stoa.Platform.Identity;

/// <summary>Section <c>People</c>.</summary>
public sealed class PersonOptions
{
    /// <summary>What a guess at a stolen password hash costs, and every sign-in too.</summary>
    [Range(100_000, 10_000_000)]
    public int PasswordIterations { get; set; } = 600_000;

    [Range(8, 64)]
    public int PasswordMinLength { get; set; } = 12;

    /// <summary>Between asking to be erased and the erasure, during which it can be taken back.</summary>
    [Range(0, 90)]
    public int ErasureGraceDays { get; set; } = 14;

    [Range(1, 90)]
    public int InvitationDays { get; set; } = 7;
}
