using Stoa.Gateway.Batches.Native;
using Stoa.Gateway.Completions;

namespace Stoa.Gateway.Batches;

/// <summary>How the batches of a surface are done: who answers a line, and where the results go.</summary>
internal interface IBatchWay
{
    /// <summary>
    /// Hands the batch to the batch API of its model's provider: the model as <c>provider/model</c> and the provider's id of the batch.
    /// Null when it is to be done here.
    /// </summary>
    Task<(string Model, string Id)?> BeginAsync(Batch batch, CancellationToken ct);

    Task<NativeState> StateAsync(Batch batch, CancellationToken ct);

    Task CancelAsync(Batch batch, CancellationToken ct);

    /// <summary>Brings in what the provider has; lines that have an answer keep it. What is still open then is done here.</summary>
    Task CollectAsync(Batch batch, NativeState state, CancellationToken ct);

    /// <summary>Null when a limit is used up: the line waits.</summary>
    Task<InnerAnswer?> AnswerAsync(Batch batch, BatchLine line, CancellationToken ct);

    /// <summary>Hands the results over. Done again after a crash, it hands over the same.</summary>
    Task FinishAsync(Batch batch, BatchStatus end, CancellationToken ct);
}
