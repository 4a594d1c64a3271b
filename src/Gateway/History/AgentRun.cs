using System.Text.Json.Nodes;

namespace Stoa.Gateway.History;

/// <summary>One exchange with an agent: a row of its history.</summary>
internal sealed record AgentRun
{
    public required Guid Id { get; init; }

    /// <summary>What the wire calls its id; given by the database.</summary>
    public long Number { get; private set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public required Guid OrganizationId { get; init; }

    public required string AgentId { get; init; }

    public string? VersionId { get; set; }

    public required string ThreadId { get; init; }

    public required string SubThreadId { get; init; }

    public required string MessageId { get; init; }

    public string? ParentId { get; set; }

    public string? ChildId { get; set; }

    public required string Service { get; set; }

    public required string Model { get; set; }

    public required bool IsSuccess { get; set; }

    public bool IsCached { get; set; }

    public string? FinishReason { get; set; }

    /// <summary>0 none, 1 up, 2 down.</summary>
    public short UserFeedback { get; set; }

    public string? UserMessage { get; set; }

    public string? Answer { get; set; }

    public string? Error { get; set; }

    public string? TestcaseId { get; set; }

    public string? BatchId { get; set; }

    /// <summary>In the words of GTWY's wire (spec of its documents: docs/wire/gateway.md), without what has a property here.</summary>
    public required JsonObject Document { get; set; }
}
