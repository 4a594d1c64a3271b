namespace Stoa.Platform.Jobs;

/// <summary>A handler throws it to say itself what becomes of the job; <see cref="JobRules.OnFailure"/> is not asked.</summary>
public sealed class JobFailure : Exception
{
    private JobFailure(FailureRule rule, string message, Exception? inner = null)
        : base(message, inner) => Rule = rule;

    internal FailureRule Rule { get; }

    internal TimeSpan? After { get; private init; }

    internal bool IsSnooze { get; private init; }

    /// <summary>Again, but not before this wait (a provider's <c>Retry-After</c>); counts as an attempt.</summary>
    public static JobFailure RetryAfter(TimeSpan wait, string reason, Exception? inner = null) =>
        new(FailureRule.Retry, reason, inner) { After = wait };

    /// <summary>Later, without using an attempt: nothing failed, it is not time yet, or a limit was reached.</summary>
    public static JobFailure Snooze(TimeSpan wait, string reason) => new(FailureRule.Retry, reason) { After = wait, IsSnooze = true };

    /// <summary>Its effect is no longer wanted.</summary>
    public static JobFailure Discard(string reason) => new(FailureRule.Discard, reason);

    /// <summary>No repetition cures this.</summary>
    public static JobFailure Dead(string reason, Exception? inner = null) => new(FailureRule.Dead, reason, inner);
}

/// <summary>Another node has taken the job over, or it was finished otherwise: nothing more may be written for this run.</summary>
public sealed class LeaseLostException(Guid job, int attempt)
    : Exception($"Attempt {attempt} of job {job} no longer holds its lease");
