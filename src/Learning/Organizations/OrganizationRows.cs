using System.Text.Json.Serialization;
using Stoa.Learning.Wire;

namespace Stoa.Learning.Organizations;

/// <summary>A school.</summary>
internal sealed class OrganizationRow : ISoftDeleted
{
    public int Id { get; init; }

    public required string Slug { get; init; }

    public required string Name { get; set; }

    public string? DefaultLogoColor { get; set; }

    /// <summary>IANA. Days of activity begin and end by it.</summary>
    public string TimeZone { get; set; } = "Asia/Kolkata";

    /// <summary>
    /// The platform's organization, by which its model calls are metered: its own, of which nobody is a member, or one that pays for it.
    /// </summary>
    public required Guid OrganizationId { get; init; }

    /// <summary>US dollars, by those who run the installation; null for what the settings say, 0 for no limit.</summary>
    public decimal? MonthlyBudget { get; set; }

    /// <summary>An organization that does other things too pays: its keys and limits are set there.</summary>
    public bool IsPaidFor { get; init; }

    public DateTimeOffset? DeletedAt { get; set; }
}

[JsonConverter(typeof(WireEnum<OrganizationRole>))]
internal enum OrganizationRole
{
    Owner,
    Admin,
}

internal sealed class OrganizationMember : ISoftDeleted
{
    public int Id { get; init; }

    public required int UserId { get; init; }

    public required int OrgId { get; init; }

    public required OrganizationRole Role { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}
