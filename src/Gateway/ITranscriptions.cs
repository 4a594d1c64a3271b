namespace Stoa.Gateway;

/// <summary>
/// Writes down what is said in a recording, for the other modules of this process. It takes the way of a client's call, as questions to
/// <see cref="IModels"/> do: providers and their keys, retries, the organization's limits and budgets, usage and cost.
/// </summary>
public interface ITranscriptions
{
    /// <summary>
    /// The wanted model if this organization can be served with it, else one that listens, the first that is listed; null when there is
    /// none.
    /// </summary>
    /// <param name="wanted">A name as clients write it, <c>provider/model</c> or an alias; null for the installation's own.</param>
    string? Pick(Guid organizationId, string? wanted);

    /// <summary>What is said, without blanks around it; empty where nothing is.</summary>
    /// <exception cref="Stoa.Platform.Http.Failure">The model did not answer, or does not listen, or cannot read the recording.</exception>
    Task<string> WriteDownAsync(Recording recording, CancellationToken ct);
}

/// <param name="OrganizationId">Whose limits, budgets and provider keys count, and who is shown the usage.</param>
/// <param name="Purpose">What the usage is listed under: <c>assistants.speech</c>.</param>
/// <param name="RequestId">Stands in usage and logs.</param>
/// <param name="FileName">Providers tell the format by its end.</param>
public sealed record Recording(
    Guid OrganizationId, string Model, string Purpose, string RequestId, byte[] Content, string FileName, string ContentType);
