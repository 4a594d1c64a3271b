using System.Text.Json.Nodes;

namespace Stoa.Gateway.TestCases;

/// <summary>A conversation and what the agent should answer to it.</summary>
internal sealed record TestCase
{
    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string AgentId { get; init; }

    public required string Name { get; set; }

    /// <summary>In the words of GTWY's wire (spec of its documents: docs/wire/gateway.md), without what has a property here.</summary>
    public required JsonObject Document { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
}
