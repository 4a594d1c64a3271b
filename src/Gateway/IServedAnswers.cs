namespace Stoa.Gateway;

/// <summary>What agents have answered and what was said before it, for modules that have people judge it.</summary>
public interface IServedAnswers
{
    /// <summary>The answers to these messages. What belongs to another organization, or was not answered, is not among them.</summary>
    /// <param name="messageIds">As runs are answered with them.</param>
    Task<IReadOnlyList<ServedAnswer>> FindAsync(Guid organizationId, IReadOnlyCollection<string> messageIds, CancellationToken ct);
}

/// <param name="Earlier">What was said in the conversation before, oldest first.</param>
/// <param name="Agent">Its slug; null for a run without an agent.</param>
/// <param name="AgentVersion">The id of the agent's version.</param>
public sealed record ServedAnswer(
    string MessageId, IReadOnlyList<ServedExchange> Earlier, string Question,
    string Answer, string? Agent, string? AgentVersion, string Model,
    string Provider);

public sealed record ServedExchange(string Question, string Answer);
