namespace Stoa.Gateway.Configuration;

/// <summary>
/// What a run of an agent needs, resolved and kept in memory: no database on a hit. A change of anything an organization configures drops
/// all of that organization on every node within a second.
/// </summary>
internal sealed class AgentConfigurations
{
    /// <param name="agent">An agent's id or slug; null when a version is given alone.</param>
    /// <param name="versionId">Runs this version instead of the published one.</param>
    /// <param name="environment">Picks the version that the agent keeps for it, where none is given; one that it does not have is passed over.</param>
    /// <exception cref="Stoa.Platform.Http.Failure">Invalid, in the words of GTWY's wire (<see cref="ConfigurationFailures"/>).</exception>
    public ValueTask<AgentConfiguration> FindAsync(
        Guid organizationId, string? agent, string? versionId, string? environment, CancellationToken ct) =>
        throw new NotImplementedException();
}
