namespace Stoa.Platform.Jobs;

/// <summary>Where a job stands. The last three are final: a job reaches exactly one of them, and from there moves no more.</summary>
public enum JobState
{
    /// <summary>Runs when its time has come and a worker is free.</summary>
    Available,
    Running,
    /// <summary>Until the job that it follows is finished.</summary>
    Waiting,
    /// <summary>No living node knows the kind; runs as soon as one does.</summary>
    Parked,
    Succeeded,
    /// <summary>Failed for good: attempts used up, too old, or a failure that no repetition cures. Can be replayed.</summary>
    Dead,
    Cancelled,
}

public enum JobPriority
{
    High,
    Normal,
    Low,
    Bulk,
}

/// <summary>What happens to a job whose unique key belongs to an unfinished job of the same kind.</summary>
public enum UniqueMode
{
    /// <summary>The older one stays as it is.</summary>
    Reject,
    /// <summary>The older one takes over arguments, time and priority; if it is running, it runs once more with them.</summary>
    Replace,
    /// <summary>If the older one waits, nothing is added; if it is running, it runs once more afterwards.</summary>
    Coalesce,
}

/// <summary>Which end of another job starts a job that follows it. On the other end it is cancelled.</summary>
public enum AfterOutcome
{
    Succeeded,
    /// <summary>Dead or cancelled.</summary>
    Failed,
    Finished,
}

/// <summary>Whose job it is: his organization sees and may act on it. The default owner is the system.</summary>
/// <param name="Tenant">Whom concurrency limits count; the organization unless said otherwise.</param>
/// <param name="CreatedBy">As the audit names actors: <c>key:…</c>, <c>person:…</c>, <c>schedule:…</c>, <c>job:…</c>.</param>
public sealed record JobOwner(
    Guid? OrganizationId = null, Guid? PersonId = null, Guid? KeyId = null, string? Tenant = null, string CreatedBy = "system")
{
    public static readonly JobOwner System = new();
}

/// <summary>How one job differs from the rules of its kind.</summary>
public sealed record EnqueueOptions
{
    /// <summary>Not before this instant. Absent: at once.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>Not before so much time has passed by the database's clock; added to <see cref="RunAt"/> if both are given.</summary>
    public TimeSpan? Delay { get; init; }

    public JobPriority? Priority { get; init; }

    public JobOwner Owner { get; init; } = JobOwner.System;

    public string? CorrelationId { get; init; }

    /// <summary>Of all unfinished jobs of the kind at most one has this key.</summary>
    public string? UniqueKey { get; init; }

    public UniqueMode UniqueMode { get; init; } = UniqueMode.Reject;

    /// <summary>The key also stays taken for so long after this call, even when the job has finished: a second one is rejected.</summary>
    public TimeSpan? UniqueFor { get; init; }

    /// <summary>
    /// Which ends of the job that had the key count for <see cref="UniqueFor"/>; with <c>[Succeeded]</c> one that is dead or cancelled is
    /// in nobody's way. An unfinished one always counts.
    /// </summary>
    public IReadOnlyCollection<JobState> UniqueIn { get; init; } = Ends;

    internal static readonly IReadOnlyCollection<JobState> Ends = [JobState.Succeeded, JobState.Dead, JobState.Cancelled];

    /// <summary>What <see cref="JobRules.MaxRunningPerKey"/> counts.</summary>
    public string? LimitKey { get; init; }

    /// <summary>Runs after the end of this job.</summary>
    public Guid? After { get; init; }

    public AfterOutcome AfterOutcome { get; init; } = AfterOutcome.Succeeded;

    public int? MaxAttempts { get; init; }

    /// <summary>Dead when it has not succeeded within this time.</summary>
    public TimeSpan? MaxAge { get; init; }
}

/// <summary>
/// What became of an enqueue. Filled in by the statement that adds the job: with a module's unit of work, when it is saved.
/// </summary>
public sealed class JobReceipt
{
    internal JobReceipt(Guid id) => Id = id;

    /// <summary>The job; when it was not new, the one that holds the unique key.</summary>
    public Guid Id { get; internal set; }

    /// <summary>False when another job holds the unique key.</summary>
    public bool IsNew { get; internal set; } = true;
}
