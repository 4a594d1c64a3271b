using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Stoa.Platform.Jobs;

/// <summary>
/// Adds jobs outside a module's unit of work: alone, or on a connection of the caller's, whose transaction then decides whether they
/// exist. With a unit of work: <see cref="JobEnqueueing.Enqueue"/>.
/// </summary>
[SuppressMessage("Naming", "CA1711", Justification = "It is a queue.")]
public sealed class JobQueue
{
    private readonly JobKinds kinds;
    private readonly NpgsqlDataSource source;
    private readonly JobWakeUps wakeUps;
    private readonly TimeProvider time;

    internal JobQueue(JobKinds kinds, NpgsqlDataSource source, JobWakeUps wakeUps, TimeProvider time) =>
        (this.kinds, this.source, this.wakeUps, this.time) = (kinds, source, wakeUps, time);

    /// <summary>Committed when it returns.</summary>
    public async Task<JobReceipt> EnqueueAsync<TJob>(TJob job, EnqueueOptions? options, CancellationToken ct)
        where TJob : class
    {
        var made = Make(job, options);
        await EnqueueAsync([made], ct);
        return made.Receipt;
    }

    /// <summary>Many at once, all or none; committed when it returns.</summary>
    public async Task EnqueueAsync(IReadOnlyList<NewJob> jobs, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = JobInsert.IsOneStatement(jobs) ? null : await connection.BeginTransactionAsync(ct);
        await JobInsert.WriteAsync(connection, jobs, ct);
        await (transaction?.CommitAsync(ct) ?? Task.CompletedTask);
        Wake();
    }

    /// <summary>
    /// In the caller's transaction. After its commit <see cref="Wake"/> starts them at once; without it they wait for the next poll.
    /// </summary>
    public async Task<JobReceipt> EnqueueAsync<TJob>(NpgsqlConnection connection, TJob job, EnqueueOptions? options, CancellationToken ct)
        where TJob : class
    {
        var made = Make(job, options);
        await JobInsert.WriteAsync(connection, [made], ct);
        return made.Receipt;
    }

    /// <inheritdoc cref="EnqueueAsync{TJob}(NpgsqlConnection, TJob, EnqueueOptions?, CancellationToken)"/>
    [SuppressMessage("Performance", "CA1822", Justification = "One of a family of calls.")]
    public Task EnqueueAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs, CancellationToken ct) =>
        JobInsert.WriteAsync(connection, jobs, ct);

    /// <summary>A job for the set-based calls. Nothing is written yet.</summary>
    /// <exception cref="InvalidOperationException">The type is no job.</exception>
    public NewJob Make<TJob>(TJob job, EnqueueOptions? options = null)
        where TJob : class =>
        new(kinds.Of(typeof(TJob)), job, options ?? new(), Guid.CreateVersion7(time.GetUtcNow()), Activity.Current?.Id);

    internal NewJob MakeAgain(JobKind kind, object job, EnqueueOptions options, Guid replayOf) =>
        new(kind, job, options, Guid.CreateVersion7(time.GetUtcNow()), Activity.Current?.Id) { ReplayOf = replayOf };

    /// <summary>
    /// Committed jobs may be waiting: tells the workers of this process now and the others within <see cref="JobOptions.WakeMs"/>.
    /// </summary>
    public void Wake()
    {
        wakeUps.WakeHere();
        wakeUps.WakeOthers();
    }
}
