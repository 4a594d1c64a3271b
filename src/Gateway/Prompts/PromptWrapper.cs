namespace Stoa.Gateway.Prompts;

/// <summary>A text around the prompts of an organization's agents; <c>{{system_prompt}}</c> stands where the prompt goes.</summary>
internal sealed record PromptWrapper
{
    public const string Placeholder = "{{system_prompt}}";

    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    /// <summary>Unique in the organization.</summary>
    public required string Name { get; set; }

    public required string Template { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }
}
