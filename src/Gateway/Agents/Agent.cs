using System.Text.Json.Nodes;

namespace Stoa.Gateway.Agents;

/// <summary>A stored AI configuration: what its published version says, and what belongs to all its versions.</summary>
internal sealed record Agent
{
    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string Name { get; set; }

    /// <summary>Unique in the organization.</summary>
    public required string Slug { get; set; }

    public required AgentKind Kind { get; set; }

    public required bool IsPaused { get; set; }

    public string? FolderId { get; set; }

    public string? PublishedVersionId { get; set; }

    /// <summary>In the words of GTWY's wire (spec of its documents: docs/wire/gateway.md), without what has a property here.</summary>
    public required JsonObject Document { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}

internal enum AgentKind
{
    Api,
    Chatbot,
    Trigger,
}
