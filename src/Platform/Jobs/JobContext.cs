using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Stoa.Platform.Jobs;

/// <summary>What a handler knows of its run, and how it binds its effect to it.</summary>
public sealed class JobContext
{
    private readonly RunningJob running;
    private readonly JobRates rates;
    private readonly TimeProvider time;

    internal JobContext(RunningJob running, JobRates rates, TimeProvider time) =>
        (this.running, this.rates, this.time) = (running, rates, time);

    public Guid JobId => running.Job.Id;

    public DateTimeOffset CreatedAt => running.Job.CreatedAt;

    /// <summary>From 1 on; snoozes and hand-overs do not count.</summary>
    public int Attempt => running.Job.Counted;

    /// <summary>How often it was started, counted or not: the number that fences what this run writes.</summary>
    public int Run => running.Job.Attempt;

    public JobPriority Priority => running.Job.Priority;

    public bool IsLastAttempt => running.Job.Counted >= running.Job.MaxAttempts;

    /// <summary>Tells how far it is. Cheap: written and told to watchers at most once a second, the last word wins.</summary>
    public void Report(long done, long? total = null, string? note = null) => running.Report(new(done, total, note));

    /// <summary>A model was asked. What all questions of a run came to stands in the job's history, however it ends.</summary>
    /// <param name="cost">US dollars; null where it has no price, and then the run has none.</param>
    public void Spent(long inputTokens, long outputTokens, decimal? cost) => running.Spend(inputTokens, outputTokens, cost);

    /// <summary>
    /// Takes a permit of a rate that jobs of all nodes share, such as a provider's for one tenant; without one the job snoozes until it may
    /// be its turn. Of a name there are at most <paramref name="permits"/> at once, and as many again in each <paramref name="per"/>.
    /// </summary>
    /// <param name="name">What is shared, also between kinds: <c>openai:tenant-7</c>. It comes with the same rate each time.</param>
    /// <exception cref="JobFailure">There is none now: let it pass.</exception>
    public Task TakePermitAsync(string name, int permits, TimeSpan per, CancellationToken ct) =>
        TakePermitAsync(name, permits, per, spare: 0, ct);

    /// <param name="spare">So many permits are left to jobs that are more urgent.</param>
    /// <inheritdoc cref="TakePermitAsync(string, int, TimeSpan, CancellationToken)"/>
    public async Task TakePermitAsync(string name, int permits, TimeSpan per, int spare, CancellationToken ct)
    {
        if (await rates.TakeAsync(running.Job.Id, name, permits, per, spare, ct) is { } wait)
        {
            throw JobFailure.Snooze(wait, $"Waits for a permit of {name}");
        }
    }

    /// <summary>
    /// A permit in any case, for a run that would lose what it has done if it waited: whoever comes next waits the longer.
    /// </summary>
    public Task OwePermitAsync(string name, int permits, TimeSpan per, CancellationToken ct) =>
        rates.OweAsync(running.Job.Id, name, permits, per, ct);

    /// <summary>
    /// Takes one of <paramref name="places"/> that runs of all nodes and kinds share; without one the job snoozes. The run keeps it until
    /// it calls <see cref="LeavePlaceAsync"/>, ends or dies.
    /// </summary>
    /// <param name="spare">So many places are left to jobs that are more urgent.</param>
    /// <exception cref="JobFailure">There is none now: let it pass.</exception>
    public async Task TakePlaceAsync(string name, int places, int spare, CancellationToken ct)
    {
        if (await rates.EnterAsync(running.Job.Id, name, places, spare, ct) is { } wait)
        {
            throw JobFailure.Snooze(wait, $"Waits for a place at {name}");
        }
    }

    public Task LeavePlaceAsync(string name, CancellationToken ct) => rates.LeaveAsync(running.Job.Id, name, ct);

    /// <summary>
    /// In the transaction of the effect: nobody else can run or finish the job until it ends, and it cannot commit for a run that is over.
    /// The transaction must be short; idle for as long as a lease, the database ends it.
    /// </summary>
    /// <exception cref="LeaseLostException">This run is over; roll back.</exception>
    public async Task FenceAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Impatience(),
                new("select 1 from platform.jobs where id = $1 and attempt = $2 and state = 'running' for update")
                {
                    Parameters = { new() { Value = running.Job.Id }, new() { Value = running.Job.Attempt } },
                },
            },
        };
        await using var rows = await batch.ExecuteReaderAsync(ct);
        await rows.NextResultAsync(ct);
        if (!await rows.ReadAsync(ct))
        {
            throw new LeaseLostException(running.Job.Id, running.Job.Attempt);
        }
    }

    /// <inheritdoc cref="FenceAsync(NpgsqlConnection, CancellationToken)"/>
    public Task FenceAsync(DbContext db, CancellationToken ct) => FenceAsync(ConnectionOf(db), ct);

    /// <summary>
    /// Completes the job in the transaction of its effect: both are committed or neither, so the effect happens exactly once. Nothing
    /// is left to do after the commit; the handler returns.
    /// </summary>
    /// <exception cref="LeaseLostException">This run is over; roll back.</exception>
    public async Task CompleteAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        // First the fence: it waits for whoever holds the row.
        await FenceAsync(connection, ct);
        await JobProgressWrites.WriteLastAsync(connection, running, ct);
        var end = JobOutcome.Succeeded(running.Job).Of(running);
        if ((await OutcomeStatements.EndRunsAsync(connection, [end], time, ct)).Count == 0)
        {
            throw new LeaseLostException(running.Job.Id, running.Job.Attempt);
        }
        running.IsCompletedByHandler = true;
    }

    /// <inheritdoc cref="CompleteAsync(NpgsqlConnection, CancellationToken)"/>
    public Task CompleteAsync(DbContext db, CancellationToken ct) => CompleteAsync(ConnectionOf(db), ct);

    /// <summary>
    /// True for the first transaction that commits with this key, ever after false (for as long as finished jobs are kept). For effects
    /// that several jobs may cause, or that one causes in parts.
    /// </summary>
    public async Task<bool> TryOnceAsync(NpgsqlConnection connection, string key, CancellationToken ct)
    {
        await using var insert =
            new NpgsqlCommand("insert into platform.job_inbox (scope, key) values ($1, $2) on conflict do nothing", connection)
        {
            Parameters = { new() { Value = running.Kind.Name }, new() { Value = key } },
        };
        return await insert.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <inheritdoc cref="TryOnceAsync(NpgsqlConnection, string, CancellationToken)"/>
    public Task<bool> TryOnceAsync(DbContext db, string key, CancellationToken ct) => TryOnceAsync(ConnectionOf(db), key, ct);

    /// <summary>
    /// A node that vanished without a word leaves its transaction open at the server, with the row locked: it must not outlive the lease.
    /// </summary>
    private NpgsqlBatchCommand Impatience() => new("select set_config('idle_in_transaction_session_timeout', $1, true)")
    {
        Parameters = { new() { Value = ((long)running.Kind.Rules.Lease.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) } },
    };

    private static NpgsqlConnection ConnectionOf(DbContext db) => db.Database.CurrentTransaction is not null
        ? (NpgsqlConnection)db.Database.GetDbConnection()
        : throw new InvalidOperationException("The effect needs a transaction: begin one first");
}
