using System.Text.Json.Nodes;

namespace Stoa.Gateway.Alerts;

/// <summary>Where an organization wants to hear of errors, limits and feedback.</summary>
internal sealed record Alert
{
    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string Name { get; set; }

    /// <summary>In the words of GTWY's wire (spec of its documents: docs/wire/gateway.md), without what has a property here. In the
    /// database headers are sealed (<see cref="Secrets.DocumentSeal"/>).</summary>
    public required JsonObject Document { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
}
