namespace Stoa.Platform.Jobs;

/// <summary>
/// Runs jobs of one kind. A job may run more than once (a node can die after the effect and before its completion), so the effect is
/// idempotent, or is committed with <see cref="JobContext.CompleteAsync(Npgsql.NpgsqlConnection, CancellationToken)"/>.
/// Made in a scope of its own for each run.
/// </summary>
public interface IJobHandler<in TJob>
{
    /// <param name="ct">
    /// Cancelled when a person cancels the job, its time is over, the node stops, or the lease is lost. Ending then is enough;
    /// whatever is written afterwards without the context's fence may collide with another run.
    /// </param>
    Task RunAsync(TJob job, JobContext context, CancellationToken ct);
}
