using System.Text.Json.Nodes;

namespace Stoa.Gateway.Agents;

/// <summary>A prompt that an agent had; versions name it as <c>configuration.system_prompt_version_id</c>.</summary>
internal sealed record AgentPrompt
{
    public required Guid Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public required string AgentId { get; init; }

    /// <summary><c>{system_prompt}</c>: a text, or an object of its parts.</summary>
    public required JsonObject Document { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}
