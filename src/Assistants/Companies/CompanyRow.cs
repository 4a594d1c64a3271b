namespace Stoa.Assistants.Companies;

/// <summary>What users work for, as its own website tells it.</summary>
internal sealed class CompanyRow
{
    public int Id { get; init; }

    public string? Name { get; set; }

    public string? Website { get; set; }

    public string? Description { get; set; }

    public string? Emoji { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }
}
