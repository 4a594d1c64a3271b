using System.Text.Json.Nodes;

namespace Stoa.Gateway.Tools;

/// <summary>An HTTP function that agents may call; <c>apicalls</c> on the wire.</summary>
internal sealed record AgentTool
{
    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string ScriptId { get; set; }

    public required string Title { get; set; }

    /// <summary>
    /// In the words of GTWY's wire (spec of its documents: docs/wire/gateway.md), without what has a property here. In the database headers
    /// and credentials are sealed (<see cref="Secrets.DocumentSeal"/>).
    /// </summary>
    public required JsonObject Document { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }
}
