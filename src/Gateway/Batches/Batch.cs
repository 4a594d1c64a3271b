using System.Text.Json.Nodes;

namespace Stoa.Gateway.Batches;

/// <summary>The surface that a batch came in by, and whose words its results are in.</summary>
internal enum BatchKind
{
    OpenAi,
    Anthropic,
    Gtwy,
}

internal enum BatchStatus
{
    Validating,
    Failed,
    InProgress,
    Finalizing,
    Completed,
    Expired,
    Cancelling,
    Cancelled,
}

/// <summary>Many requests as one piece of work, done when there is time.</summary>
internal sealed record Batch
{
    public required string Id { get; init; }

    public required Guid OrganizationId { get; init; }

    public required BatchKind Kind { get; init; }

    /// <summary>As whom the lines are called.</summary>
    public required Guid KeyId { get; init; }

    public required string KeyPrefix { get; init; }

    /// <summary>Where each line goes: <c>/v1/chat/completions</c> and its like.</summary>
    public required string Endpoint { get; init; }

    public required BatchStatus Status { get; set; }

    public string? InputFileId { get; init; }

    public string? OutputFileId { get; set; }

    public string? ErrorFileId { get; set; }

    /// <summary>
    /// Who does it: a model (<c>provider/model</c>) by its provider's batch API, or empty for ourselves; null while that is not settled.
    /// </summary>
    public string? Provider { get; set; }

    public string? ProviderBatchId { get; set; }

    public int Total { get; set; }

    /// <summary>Lines that were answered well; those that were not are <see cref="Failed"/>.</summary>
    public int Completed { get; set; }

    public int Failed { get; set; }

    /// <summary>In the words of the wire: <c>metadata</c>, <c>errors</c>.</summary>
    public required JsonObject Document { get; set; }

    /// <summary>Sealed; null when it has none, or is over.</summary>
    public byte[]? Secrets { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? FinalizingAt { get; set; }

    public DateTimeOffset? CancellingAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }
}

/// <summary>Does the lines of a batch, from validation to its files.</summary>
internal sealed record RunBatch(string BatchId);

/// <summary>One request of a batch.</summary>
/// <param name="Request">The body of the call.</param>
internal sealed record BatchLine(int Number, string CustomId, ReadOnlyMemory<byte> Request);

/// <summary>What became of a line.</summary>
/// <param name="Status">HTTP; null for a line that was not called before the batch ended.</param>
internal sealed record BatchResult(int Number, string CustomId, int? Status, string? RequestId, ReadOnlyMemory<byte> Body)
{
    public bool IsSuccess => Status is >= 200 and < 300;
}
