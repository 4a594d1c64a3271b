namespace Stoa.Gateway;

/// <summary>
/// Vectors of texts, for the other modules of this process. They take the way of a client's call, as questions to <see cref="IModels"/> do:
/// providers and their keys, retries, the organization's limits and budgets, usage and cost.
/// </summary>
public interface IEmbeddings
{
    /// <summary>
    /// The wanted model if this organization can be served with it, else one that makes vectors, the first that is listed; null when there
    /// is none. In full, <c>provider/model</c>, as <see cref="EmbeddingReply.Model"/> is: of an alias the first of its models.
    /// </summary>
    /// <param name="wanted">A name as clients write it, <c>provider/model</c> or an alias; null for the installation's own.</param>
    string? Pick(Guid organizationId, string? wanted);

    /// <summary>
    /// One vector of length 1 for each text, in their order. Any number of texts; the provider is asked for a hundred at a time.
    /// </summary>
    /// <exception cref="Stoa.Platform.Http.Failure">The model did not answer, or makes no vectors.</exception>
    Task<EmbeddingReply> EmbedAsync(EmbeddingQuestion question, CancellationToken ct);
}

/// <param name="OrganizationId">Whose limits, budgets and provider keys count, and who is shown the usage.</param>
/// <param name="Purpose">What the usage is listed under: <c>assistants.documents</c>.</param>
/// <param name="RequestId">Stands in usage and logs.</param>
/// <param name="Texts">None of them empty.</param>
public sealed record EmbeddingQuestion(
    Guid OrganizationId, string Model, string Purpose, string RequestId, params IReadOnlyList<string> Texts);

/// <param name="Model">The one that answered, as <c>provider/model</c>: only vectors of the same one can be compared.</param>
/// <param name="Cost">US dollars; null where the model has no price.</param>
public sealed record EmbeddingReply(IReadOnlyList<float[]> Vectors, string Model, long InputTokens, decimal? Cost = null);
