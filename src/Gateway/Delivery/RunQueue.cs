using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Stoa.Gateway.Delivery;

/// <summary>Carries queued runs to whoever has time: RabbitMQ, or the jobs of the platform.</summary>
internal interface IRunTransport
{
    /// <summary>Kept when it returns: a crash afterwards loses nothing.</summary>
    /// <param name="secrets">What was taken out of the run; null when it had none.</param>
    Task EnqueueAsync(QueuedRun run, System.Text.Json.Nodes.JsonObject? secrets, CancellationToken ct);

    Task<QueueState> StateAsync(CancellationToken ct);

    /// <summary>Takes dead letters back into the queue, oldest first; answers how many.</summary>
    Task<int> ReplayAsync(int most, CancellationToken ct);
}

/// <summary>Where runs wait.</summary>
/// <param name="Transport"><c>rabbitmq</c> or <c>jobs</c>.</param>
/// <param name="Failed">Dead letters.</param>
internal sealed record QueueState(string Transport, string Queue, long Waiting, long Failed);

/// <summary>Takes runs that are answered later.</summary>
[SuppressMessage("Naming", "CA1711", Justification = "It is a queue.")]
internal sealed class RunQueue(IRunTransport transport, TimeProvider time)
{
    /// <summary>
    /// Answer the caller only after it has returned: then the run is kept until its answer is delivered. The message id makes it run once,
    /// however often it is tried.
    /// </summary>
    /// <exception cref="Stoa.Platform.Http.Failure">Internal <c>queue_failed</c>: it could not be kept; nothing will happen.</exception>
    public Task EnqueueAsync(QueuedRun run, CancellationToken ct)
    {
        var (bare, secrets) = RunSecrets.Split(run with { EnqueuedAt = time.GetUtcNow(), Trace = run.Trace ?? Activity.Current?.Id });
        return transport.EnqueueAsync(bare, secrets, ct);
    }

    public Task<QueueState> StateAsync(CancellationToken ct) => transport.StateAsync(ct);

    public Task<int> ReplayAsync(int most, CancellationToken ct) => transport.ReplayAsync(most, ct);
}
