namespace Stoa.Platform.Jobs;

/// <summary>What a failure means for the job.</summary>
public enum FailureRule
{
    /// <summary>Again after the growing wait, until the attempts are used up.</summary>
    Retry,
    /// <summary>Its effect is no longer wanted: cancelled, with the reason in its history.</summary>
    Discard,
    /// <summary>No repetition cures this: dead at once.</summary>
    Dead,
}

/// <summary>The rules of a kind. The defaults suit a job that calls a network and takes seconds.</summary>
public sealed record JobRules
{
    public static readonly JobRules Default = new();

    /// <summary>Runs that end in failure, a lost lease included, before the job is dead. Snoozes do not count.</summary>
    public int MaxAttempts { get; init; } = 12;

    /// <summary>The wait after the first failure; it doubles with each one.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan LongestWait { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A wait is drawn from its length ± this share, so that what failed together does not come back together.</summary>
    public double Jitter { get; init; } = 0.2;

    /// <summary>Of one attempt.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>From enqueue to success; absent: no limit.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>From due to started, of each attempt: a job whose turn comes later is dead instead of run; absent: no limit.</summary>
    public TimeSpan? MaxWait { get; init; }

    /// <summary>After so long without a heartbeat others take the job over. At most a minute; renewed every quarter of it.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(60);

    public JobPriority Priority { get; init; } = JobPriority.Normal;

    /// <summary>
    /// Runs at the same time: in the cluster, on one node, for one tenant, for one <see cref="EnqueueOptions.LimitKey"/>.
    /// </summary>
    public int? MaxRunning { get; init; }

    public int? MaxRunningPerNode { get; init; }

    public int? MaxRunningPerTenant { get; init; }

    public int? MaxRunningPerKey { get; init; }

    /// <summary>
    /// Kinds of one pool share <see cref="MaxRunningPerTenant"/>: of all of them together a tenant has no more. Absent: the kind alone.
    /// </summary>
    public string? TenantPool { get; init; }

    /// <summary>The overview and a measurement call the kind late when it has not succeeded for so long.</summary>
    public TimeSpan? LateAfter { get; init; }

    /// <summary>
    /// A question in SQL, <c>select exists (…)</c>, asked before each run: where it is not so there is nothing to do, the job has
    /// succeeded, and neither its handler nor what that stands on was made. For schedules of what many installations do not use.
    /// </summary>
    public string? OnlyIf { get; init; }

    /// <summary>Nobody is shown the arguments, and no search looks into them.</summary>
    public bool IsSensitive { get; init; }

    /// <summary>What an exception means; null, or no rule, means again. <see cref="JobFailure"/> does not come here.</summary>
    public Func<Exception, FailureRule?>? OnFailure { get; init; }

    internal bool IsLimited => (MaxRunning ?? MaxRunningPerNode ?? MaxRunningPerTenant ?? MaxRunningPerKey) is not null;

    /// <summary>min(ceiling, first · 2^(failures − 1)) · (1 ± jitter); <paramref name="random"/> is in [0, 1).</summary>
    internal TimeSpan WaitAfter(int failures, double random)
    {
        var wait = Math.Min(LongestWait.TotalMilliseconds, FirstWait.TotalMilliseconds * Math.Pow(2, Math.Clamp(failures - 1, 0, 62)));
        return TimeSpan.FromMilliseconds(wait * (1 + (Jitter * ((2 * random) - 1))));
    }

    internal JobRules Checked(string kind)
    {
        var problem = this switch
        {
            { MaxAttempts: < 1 } => "MaxAttempts must be at least 1",
            { Lease: var lease } when lease < TimeSpan.FromSeconds(1) || lease > TimeSpan.FromSeconds(60) =>
                "Lease must be 1 to 60 seconds",
            { Jitter: < 0 or >= 1 } => "Jitter must be at least 0 and below 1",
            { Timeout: var timeout } when timeout <= TimeSpan.Zero => "Timeout must be positive",
            { MaxWait: { } wait } when wait <= TimeSpan.Zero => "MaxWait must be positive",
            { MaxRunning: < 1 } or { MaxRunningPerNode: < 1 } or { MaxRunningPerTenant: < 1 } or { MaxRunningPerKey: < 1 } =>
                "limits must be at least 1",
            _ => null,
        };
        return problem is null ? this : throw new ArgumentException($"Jobs of kind '{kind}': {problem}");
    }
}
