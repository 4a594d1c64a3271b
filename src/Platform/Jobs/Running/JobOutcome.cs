using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs;

/// <summary>
/// How a job leaves its present state, and what the end of a run means for that. Nothing happens unless the job is still in the attempt
/// that it was seen in.
/// </summary>
/// <param name="State">A final one, or <see cref="JobState.Available"/>: again after <paramref name="Wait"/>.</param>
/// <param name="What">For the history: <c>failed</c>, <c>snoozed</c>, <c>released</c>, <c>lost</c>; null writes no entry.</param>
/// <param name="Spent">For the history as well, which then has an entry of a success too.</param>
/// <param name="IsFree">The run does not count as an attempt.</param>
internal sealed record JobOutcome(
    Guid Id, int Attempt, JobState State, string? What = null, string? Reason = null, string? Fingerprint = null, TimeSpan Wait = default,
    bool IsFree = false, string? By = null, JobSpending? Spent = null)
{
    private const int LongestReason = 2_000;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789");

    public bool IsFinal => State is not JobState.Available;

    public static JobOutcome Succeeded(ClaimedJob job) => new(job.Id, job.Attempt, JobState.Succeeded);

    /// <summary>With what the run took.</summary>
    public JobOutcome Of(RunningJob run) => run.Spent is { } spent ? this with { Spent = spent, What = What ?? "succeeded" } : this;

    /// <summary>Handed back as if it had never been started.</summary>
    public static JobOutcome Released(ClaimedJob job, string reason) =>
        new(job.Id, job.Attempt, JobState.Available, "released", reason, IsFree: true);

    /// <param name="random">In [0, 1): where in the jittered wait.</param>
    public static JobOutcome Failed(ClaimedJob job, JobRules rules, StopReason stopped, bool timedOut, Exception exception, double random)
    {
        var reason = Text(exception);
        switch (stopped)
        {
            case StopReason.Cancelled:
                return new(job.Id, job.Attempt, JobState.Cancelled, "cancelled");
            case StopReason.Draining when exception is OperationCanceledException:
                return Released(job, "The node stopped");
        }
        if (timedOut && exception is OperationCanceledException)
        {
            reason = string.Create(CultureInfo.InvariantCulture, $"Timed out after {rules.Timeout}");
        }
        var own = exception as JobFailure;
        if (own is { IsSnooze: true })
        {
            return new(job.Id, job.Attempt, JobState.Available, "snoozed", own.Message, Wait: own.After!.Value, IsFree: true);
        }
        return (own?.Rule ?? Rule(rules, exception) ?? FailureRule.Retry) switch
        {
            FailureRule.Discard => new(job.Id, job.Attempt, JobState.Cancelled, "discarded", reason),
            FailureRule.Dead => Dead(job, reason, exception),
            FailureRule.Retry => Again(job, rules, "failed", reason, exception, own?.After ?? (exception as Failure)?.RetryAfter, random),
        };
    }

    /// <summary>Its node was silent for longer than the lease. That counts: a job that kills its nodes must come to an end.</summary>
    public static JobOutcome Lost(Guid id, int attempt, int counted, int maxAttempts) => counted >= maxAttempts
        ? new(id, attempt, JobState.Dead, "lost", "The lease ran out", "lease")
        : new(id, attempt, JobState.Available, "lost", "The lease ran out", Wait: TimeSpan.Zero);

    private static FailureRule? Rule(JobRules rules, Exception exception)
    {
        try
        {
            return rules.OnFailure?.Invoke(exception);
        }
        catch (Exception)
        {
            // A rule that fails says nothing; what it was asked about is told as the reason all the same, and the worker lives on.
            return null;
        }
    }

    private static JobOutcome Again(
        ClaimedJob job, JobRules rules, string what, string reason, Exception exception, TimeSpan? after, double random)
    {
        var wait = rules.WaitAfter(job.Counted, random);
        wait = after > wait ? after.Value : wait;
        return job.Counted >= job.MaxAttempts || wait >= job.TimeLeft
            ? Dead(job, reason, exception)
            : new(job.Id, job.Attempt, JobState.Available, what, reason, CauseOf(job.Kind, exception), wait);
    }

    private static JobOutcome Dead(ClaimedJob job, string reason, Exception exception) =>
        new(job.Id, job.Attempt, JobState.Dead, "dead", reason, CauseOf(job.Kind, exception));

    private static string Text(Exception exception)
    {
        // PostgreSQL's text holds no NUL.
        var text = (exception is JobFailure ? exception.Message : $"{exception.GetType().Name}: {exception.Message}").Replace('\0', ' ');
        return text.Length <= LongestReason ? text : text[..LongestReason];
    }

    /// <summary>The same for failures that differ in numbers alone, so that a thousand dead letters are a handful of causes.</summary>
    private static string CauseOf(string kind, Exception exception)
    {
        var shape = new StringBuilder(kind).Append('|').Append(exception.GetType().FullName).Append('|');
        foreach (var letter in exception.Message)
        {
            if (!Digits.Contains(letter))
            {
                shape.Append(letter);
            }
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(shape.ToString())).AsSpan(0, 8));
    }
}
