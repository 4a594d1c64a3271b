using FsCheck;
using FsCheck.Fluent;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Tests.Jobs;

/// <summary>What the end of a run means, without a database.</summary>
public sealed class RulesTests
{
    [Fact]
    public void A_wait_lies_inside_the_bounds_of_its_policy()
    {
        var rules = new JobRules();
        var failures = ArbMap.Default.ArbFor<PositiveInt>();
        Prop.ForAll(failures, ArbMap.Default.ArbFor<byte>().Filter(_ => true), (number, share) =>
        {
            var ideal = Math.Min(rules.LongestWait.TotalSeconds, rules.FirstWait.TotalSeconds * Math.Pow(2, number.Get - 1));
            var wait = rules.WaitAfter(number.Get, share / 256.0).TotalSeconds;
            return wait >= (ideal * (1 - rules.Jitter)) - 1e-3 && wait <= (ideal * (1 + rules.Jitter)) + 1e-3;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Attempts_never_exceed_their_maximum_and_what_is_final_is_never_tried_again()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<PositiveInt>(), ArbMap.Default.ArbFor<NonNegativeInt>(), (attempts, snoozed) =>
        {
            var job = Job(attempts.Get + snoozed.Get, snoozed.Get, maxAttempts: 5);
            var end = Judge(job, new InvalidOperationException());
            return end.IsFinal == (attempts.Get >= 5) && !end.IsFree && end.Attempt == job.Attempt;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_a_provider_asks_to_wait_is_waited_and_never_less_than_the_policy()
    {
        var long_ = Judge(Job(1), new Failure(FailureKind.TooMany, "x", "x") { RetryAfter = TimeSpan.FromMinutes(7) });
        var short_ = Judge(Job(3), JobFailure.RetryAfter(TimeSpan.FromMilliseconds(1), "busy"));

        Assert.Equal(TimeSpan.FromMinutes(7), long_.Wait);
        Assert.Equal(TimeSpan.FromSeconds(20), short_.Wait);
    }

    [Fact]
    public void The_rules_of_a_kind_judge_its_exceptions()
    {
        JobRules rules = new()
        {
            OnFailure = exception => exception switch
            {
                FormatException => FailureRule.Dead,
                KeyNotFoundException => FailureRule.Discard,
                _ => null,
            },
        };

        Assert.Equal(JobState.Dead, Judge(Job(1), new FormatException(), rules).State);
        Assert.Equal((JobState.Cancelled, "discarded"),
            (Judge(Job(1), new KeyNotFoundException(), rules) is var end ? (end.State, end.What) : default));
        Assert.Equal(JobState.Available, Judge(Job(1), new IOException(), rules).State);
        Assert.Equal(JobState.Dead, Judge(Job(1), JobFailure.Dead("x"), rules).State);
        Assert.Equal("discarded", Judge(Job(1), JobFailure.Discard("x"), rules).What);
    }

    [Fact]
    public void A_rule_that_fails_itself_means_again_and_hides_nothing()
    {
        var end = Judge(Job(1), new IOException("torn"), new() { OnFailure = _ => throw new InvalidCastException() });

        Assert.Equal((JobState.Available, "IOException: torn"), (end.State, end.Reason));
    }

    [Fact]
    public void A_job_that_would_come_back_too_late_is_dead_now() =>
        Assert.Equal(JobState.Dead, Judge(Job(1) with { TimeLeft = TimeSpan.FromSeconds(1) }, new IOException()).State);

    [Fact]
    public void Failures_that_differ_in_numbers_alone_have_one_fingerprint()
    {
        var one = Judge(Job(1), new IOException("Page 12 of 40 is missing")).Fingerprint;

        Assert.Equal(one, Judge(Job(1), new IOException("Page 7 of 39 is missing")).Fingerprint);
        Assert.NotEqual(one, Judge(Job(1), new IOException("Page 12 of 40 is torn")).Fingerprint);
        Assert.NotEqual(one, Judge(Job(1), new InvalidOperationException("Page 12 of 40 is missing")).Fingerprint);
    }

    [Fact]
    public void A_node_works_ahead_only_while_runs_are_short()
    {
        var pace = new JobPace(8);
        Assert.Equal(8, pace.Room(0));
        for (var run = 0; run < 1000; run++)
        {
            pace.Ran(TimeSpan.FromMilliseconds(0.1));
        }
        Assert.Equal(508, pace.Room(0));
        Assert.Equal(0, pace.Room(300));

        pace.Ran(TimeSpan.FromSeconds(1));

        Assert.Equal(8, pace.Room(0));
        Assert.Equal(3, pace.Room(5));
        Assert.Equal(0, pace.Room(8));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(61)]
    public void A_lease_is_at_most_a_minute(int seconds) =>
        Assert.Throws<ArgumentException>(() => new JobRules { Lease = TimeSpan.FromSeconds(seconds) }.Checked("x"));

    private static JobOutcome Judge(ClaimedJob job, Exception exception, JobRules? rules = null) =>
        JobOutcome.Failed(job, rules ?? new(), StopReason.None, timedOut: false, exception, random: 0.5);

    private static ClaimedJob Job(int attempt, int snoozed = 0, int maxAttempts = 12) => new(
        Guid.Empty, "kind", "{}", attempt, snoozed, maxAttempts, JobPriority.Normal, default, default, null, default, null);
}
