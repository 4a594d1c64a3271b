namespace Stoa.Gateway.Threads;

/// <summary>A conversation with an agent, under the names that the caller chose for it.</summary>
internal sealed record AgentThread
{
    public required Guid OrganizationId { get; init; }

    public required string AgentId { get; init; }

    public required string ThreadId { get; init; }

    public required string SubThreadId { get; init; }

    public string? DisplayName { get; set; }

    /// <summary>What the agent keeps in mind of it.</summary>
    public string? Memory { get; set; }

    /// <summary>Stands for the turns up to the run <see cref="SummarizedTo"/>.</summary>
    public string? Summary { get; set; }

    public Guid? SummarizedTo { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }
}
