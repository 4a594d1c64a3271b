namespace Stoa.Gateway;

/// <summary>Which models organizations have used, for the reports of other modules.</summary>
public interface IModelUsage
{
    /// <summary>Sums by organization and model, most calls first. Both ends are taken to the quarter of an hour.</summary>
    /// <param name="purpose">Only calls whose purpose begins with this.</param>
    Task<IReadOnlyList<ModelUse>> SumAsync(
        IReadOnlyCollection<Guid> organizations, string purpose, DateTimeOffset from, DateTimeOffset to, CancellationToken ct);

    /// <summary>Each call in a span of time that lies behind us, oldest first, as the database gives them.</summary>
    /// <inheritdoc cref="SumAsync" path="/param"/>
    IAsyncEnumerable<ModelCall> CallsAsync(
        IReadOnlyCollection<Guid> organizations, string purpose, DateTimeOffset from, DateTimeOffset to, CancellationToken ct);
}

public sealed record ModelUse(Guid OrganizationId, string Provider, string Model, long Calls, long Tokens);

/// <param name="Outcome">0: it succeeded.</param>
/// <param name="Cost">US dollars; null where the model has no price.</param>
public sealed record ModelCall(
    Guid Id, DateTimeOffset At, Guid OrganizationId, string RequestId,
    string Provider, string Model, int Outcome, int Status, int LatencyMs,
    long InputTokens, long OutputTokens, decimal? Cost);
