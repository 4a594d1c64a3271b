using System.Text.Json.Nodes;

namespace Stoa.Gateway.Prompts;

/// <summary>How a front end is to show structured answers. Kept as it was given; nothing here renders it.</summary>
internal sealed record RichUiTemplate
{
    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    /// <summary>Unique in the organization.</summary>
    public required string Name { get; set; }

    /// <summary>In the words of GTWY's wire, without what has a property here.</summary>
    public required JsonObject Document { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }
}
