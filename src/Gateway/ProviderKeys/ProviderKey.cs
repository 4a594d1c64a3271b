using System.Text.Json.Nodes;

namespace Stoa.Gateway.ProviderKeys;

/// <summary>A key of a model provider that an organization brought.</summary>
internal sealed record ProviderKey
{
    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public string? FolderId { get; set; }

    public required string Name { get; set; }

    public required string Service { get; init; }

    /// <summary>Sealed; opened only for the call that needs it.</summary>
    public required byte[] Secret { get; set; }

    /// <summary>What may be shown of it.</summary>
    public required string Mask { get; set; }

    /// <summary><c>working</c>, <c>invalid</c>, <c>unauthorized</c>, <c>limited</c>, as the last call found it.</summary>
    public required string Status { get; set; }

    /// <summary>In the words of GTWY's wire (spec of its documents: docs/wire/gateway.md), without what has a property here.</summary>
    public required JsonObject Document { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }
}
