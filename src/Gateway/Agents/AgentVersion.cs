using System.Text.Json.Nodes;

namespace Stoa.Gateway.Agents;

/// <summary>A draft or a published snapshot of an agent.</summary>
internal sealed record AgentVersion
{
    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string AgentId { get; init; }

    public required bool IsDraft { get; set; }

    /// <summary>In the words of GTWY's wire (spec of its documents: docs/wire/gateway.md), without what has a property here.</summary>
    public required JsonObject Document { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public DateTimeOffset? DeletedAt { get; set; }
}
