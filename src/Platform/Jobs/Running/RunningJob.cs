namespace Stoa.Platform.Jobs;

internal enum StopReason
{
    None,
    /// <summary>A person cancelled it.</summary>
    Cancelled,
    /// <summary>The lease is over, or another holds it.</summary>
    Lost,
    /// <summary>The node stops.</summary>
    Draining,
}

internal sealed record JobProgress(long Done, long? Total, string? Note);

/// <summary>What a run has taken so far, as its entry of the history has it.</summary>
/// <param name="Cost">US dollars; null as soon as something had no price.</param>
internal sealed record JobSpending(int Calls, long InputTokens, long OutputTokens, decimal? Cost);

/// <summary>A job whose lease this process holds: waiting for a worker, running, or about to be ended in the database.</summary>
internal sealed class RunningJob(ClaimedJob job, JobKind kind, long since, long leaseUntil) : IDisposable
{
    private readonly Lock gate = new();
    private CancellationTokenSource? stop;
    private JobProgress? told;
    private JobProgress? written;
    private int isTaken;

    public ClaimedJob Job => job;

    public JobKind Kind => kind;

    /// <summary>When it was asked for, in this process's monotonic time.</summary>
    public long Since => since;

    /// <summary>In this process's monotonic time, measured from before the lease was asked for: never later than the database's.</summary>
    public long LeaseUntil { get; set; } = leaseUntil;

    public StopReason Reason { get; private set; }

    /// <summary>Its end was handed over to be written: the lease is still renewed until that has happened.</summary>
    public bool IsEnding { get; set; }

    /// <summary>The handler itself writes the end, in the transaction of its effect.</summary>
    public bool IsCompletedByHandler { get; set; }

    /// <summary>Somebody watches: it has told progress, so its end is told too.</summary>
    public bool HasNews { get; private set; }

    /// <summary>When its time is over, in monotonic time; null until it starts.</summary>
    public long? EndsBy { get; private set; }

    /// <summary>One caller gets it: the worker that runs it, or whoever hands it back unstarted.</summary>
    public bool TryTake() => Interlocked.Exchange(ref isTaken, 1) == 0;

    /// <summary>The token of the run: cancelled when its time is over or somebody stops it.</summary>
    public CancellationToken Start(TimeProvider time)
    {
        lock (gate)
        {
            EndsBy = time.GetTimestamp() + (long)(kind.Rules.Timeout.TotalSeconds * time.TimestampFrequency);
            stop = Reason is StopReason.None ? new(kind.Rules.Timeout, time) : new(TimeSpan.Zero);
            return stop.Token;
        }
    }

    /// <summary>The first reason stays.</summary>
    public void Stop(StopReason reason)
    {
        lock (gate)
        {
            if (Reason is StopReason.None)
            {
                Reason = reason;
                // Callbacks of handlers run elsewhere: whoever stops jobs must not be held up by one.
                _ = stop?.CancelAsync();
            }
        }
    }

    public void Report(JobProgress progress)
    {
        HasNews = true;
        Volatile.Write(ref told, progress);
    }

    /// <summary>Null: nothing.</summary>
    public JobSpending? Spent { get; private set; }

    public void Spend(long inputTokens, long outputTokens, decimal? cost)
    {
        lock (gate)
        {
            var before = Spent ?? new(0, 0, 0, 0);
            Spent = new(before.Calls + 1, before.InputTokens + inputTokens, before.OutputTokens + outputTokens, before.Cost + cost);
        }
    }

    /// <summary>What it told last; null: nothing.</summary>
    public JobProgress? Told => Volatile.Read(ref told);

    /// <summary>The same, unless the database has it.</summary>
    public JobProgress? Unwritten => Told is { } last && !ReferenceEquals(last, Volatile.Read(ref written)) ? last : null;

    public void Wrote(JobProgress progress) => Volatile.Write(ref written, progress);

    public void Dispose()
    {
        lock (gate)
        {
            stop?.Dispose();
            stop = null;
        }
    }
}
