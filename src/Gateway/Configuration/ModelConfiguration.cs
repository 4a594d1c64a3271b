using System.Text.Json.Nodes;

namespace Stoa.Gateway.Configuration;

/// <summary>What a model takes, what it can and what it costs.</summary>
internal sealed record ModelConfiguration
{
    public required string Id { get; init; }

    public required string Service { get; init; }

    public required string ModelName { get; init; }

    /// <summary>Null for models that every organization may use.</summary>
    public Guid? OrganizationId { get; init; }

    public required bool IsEnabled { get; set; }

    /// <summary>In the words of GTWY's wire (spec of its documents: docs/wire/gateway.md), without what has a property here.</summary>
    public required JsonObject Document { get; set; }

    public required DateTimeOffset UpdatedAt { get; set; }
}
