using System.Text.Json.Nodes;

namespace Stoa.Platform.Identity;

/// <summary>One security-relevant act: who did what to whom, and when.</summary>
internal sealed class AuditEntry
{
    public Guid Id { get; init; }

    public DateTimeOffset At { get; init; }

    public required string Actor { get; init; }

    public required string Act { get; init; }

    public required string Subject { get; init; }

    public Guid? OrganizationId { get; init; }

    public required Dictionary<string, JsonNode?> Details { get; init; }
}
