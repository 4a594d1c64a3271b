namespace Stoa.Gateway.Agents;

/// <summary>Who changed what of an agent.</summary>
internal sealed record AgentChange
{
    public required Guid Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string AgentId { get; init; }

    public string? VersionId { get; init; }

    public string? UserId { get; init; }

    /// <summary>The field that changed, or the act (<c>Version published</c>).</summary>
    public required string Kind { get; init; }

    public required DateTimeOffset At { get; init; }
}
