using System.Text.Json.Nodes;

namespace Stoa.Gateway.Folders;

/// <summary>Groups agents and keys, with limits of its own.</summary>
internal sealed record Folder
{
    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string Name { get; set; }

    /// <summary><c>agent</c>, <c>embed</c> or <c>rag_embed</c>.</summary>
    public required string Kind { get; set; }

    /// <summary>In the words of GTWY's wire (spec of its documents: docs/wire/gateway.md), without what has a property here.</summary>
    public required JsonObject Document { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }
}
