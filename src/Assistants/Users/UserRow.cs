namespace Stoa.Assistants.Users;

/// <summary>Somebody whom the assistant works for. The wire knows him by his id, programs of the platform by his person.</summary>
internal sealed class UserRow
{
    /// <summary>32 hex digits, or what another installation called him.</summary>
    public required string Id { get; init; }

    /// <summary>Where his model calls are metered.</summary>
    public required Guid OrganizationId { get; init; }

    public Guid? PersonId { get; set; }

    public required string Name { get; set; }

    public required string Email { get; set; }

    public string? Password { get; set; }

    /// <summary>His tokens carry it; those with another are over.</summary>
    public int TokenVersion { get; set; }

    public string? GoogleId { get; set; }

    public string? MicrosoftId { get; set; }

    public string? AppleId { get; set; }

    public string LanguageCode { get; set; } = "en";

    public string? Summary { get; set; }

    public DateTimeOffset? SummaryUpdatedAt { get; set; }

    public int? CompanyId { get; set; }

    public string? CompanyDescription { get; set; }

    public DateTimeOffset? CompanyDescriptionUpdatedAt { get; set; }

    public string? Goal { get; set; }

    /// <summary>Minutes, UTC less local; null: not known.</summary>
    public int? TimezoneOffset { get; set; }

    /// <summary>By IANA; outranks the offset, which is only what it was on some day.</summary>
    public string? TimezoneName { get; set; }

    public DateTimeOffset? TermsAcceptedAt { get; set; }

    public DateTimeOffset? OnboardingPresentedAt { get; set; }

    public bool ReceivesTodoEmails { get; set; } = true;

    public bool ReceivesReminders { get; set; } = true;

    public bool ReceivesPush { get; set; } = true;

    /// <summary>Name and offset of the zone in one text, made by the database; null: neither is known.</summary>
    public string? Zone { get; private set; }

    public required DateTimeOffset CreatedAt { get; init; }
}
