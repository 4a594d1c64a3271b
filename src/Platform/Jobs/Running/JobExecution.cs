using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Stoa.Platform.Telemetry;

namespace Stoa.Platform.Jobs;

/// <summary>One run of one job: its scope, its span, its handler, and what its end means.</summary>
internal sealed partial class JobExecution(
    IServiceScopeFactory scopes, NpgsqlDataSource source, JobNode node, OutcomeWriter outcomes, JobRates rates, TimeProvider time,
    ILogger<JobExecution> logger)
{
    /// <summary>Runs a job to its end, hands that over to be written, and answers how long it ran.</summary>
    public async Task<TimeSpan> RunAsync(RunningJob running)
    {
        var job = running.Job;
        var started = time.GetTimestamp();
        JobMetrics.Started(job.Kind, job.Waited);
        using var span = StartSpan(job);
        JobOutcome end;
        var isDone = false;
        var ct = running.Start(time);
        try
        {
            if (job.Waited > running.Kind.Rules.MaxWait)
            {
                throw JobFailure.Dead("Its turn came later than it may wait");
            }
            if (running.Kind.Rules.OnlyIf is not { } question || await IsSoAsync(question, ct))
            {
                await using var scope = scopes.CreateAsyncScope();
                await running.Kind.RunAsync(scope.ServiceProvider, Read(running), new(running, rates, time), ct);
            }
            // Only the database knows whether a transaction of the handler's was committed: if so, there is no run left to fail.
            end = running.IsCompletedByHandler
                ? JobOutcome.Failed(job, running.Kind.Rules, StopReason.None, timedOut: false, NotCommitted(), random: 0.5)
                : JobOutcome.Succeeded(job);
            // A handler that returns after it has completed its job has committed it, unless it is wrong.
            isDone = true;
        }
        catch (Exception exception)
        {
            // The boundary of a run: whatever it threw becomes its end.
            var timedOut = ct.IsCancellationRequested && running.Reason is StopReason.None;
            end = JobOutcome.Failed(job, running.Kind.Rules, running.Reason, timedOut, exception, Random.Shared.NextDouble());
            Note(end, exception, span);
        }
        var ran = time.GetElapsedTime(started);
        JobMetrics.RunEnded(job.Kind, isDone ? "succeeded" : end.What ?? "succeeded", ran);
        if (isDone)
        {
            node.Succeeded(job.Kind);
        }
        outcomes.Write(running, end.Of(running));
        return ran;
    }

    private async Task<bool> IsSoAsync(string question, CancellationToken ct)
    {
        await using var command = source.CreateCommand(question);
        return await command.ExecuteScalarAsync(ct) is true;
    }

    private static InvalidOperationException NotCommitted() => new("Completed in a transaction that was not committed");

    private static object Read(RunningJob running)
    {
        try
        {
            return running.Kind.Read(running.Job.Args);
        }
        catch (System.Text.Json.JsonException unreadable)
        {
            throw JobFailure.Dead($"The arguments cannot be read: {unreadable.Message}", unreadable);
        }
    }

    private static Activity? StartSpan(ClaimedJob job)
    {
        if (!Signals.Spans.HasListeners())
        {
            return null;
        }
        // A link, not a parent: a job may run long after its cause, and several times.
        ActivityLink[] cause = ActivityContext.TryParse(job.TraceParent, null, out var context) ? [new(context)] : [];
        var span = Signals.Spans.StartActivity($"job {job.Kind}", ActivityKind.Consumer, parentContext: default, links: cause);
        span?.SetTag("stoa.job.id", job.Id).SetTag("stoa.job.attempt", job.Counted);
        return span;
    }

    private void Note(JobOutcome end, Exception exception, Activity? span)
    {
        span?.SetStatus(ActivityStatusCode.Error, end.What);
        if (end.State is JobState.Dead)
        {
            LogDead(exception, end.Id, end.Attempt);
        }
        else if (end.What is "failed")
        {
            LogFailed(end.Id, end.Attempt, end.Reason, end.Wait);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Job {Job} failed in attempt {Attempt} and runs again in {Wait}: {Reason}")]
    private partial void LogFailed(Guid job, int attempt, string? reason, TimeSpan wait);

    [LoggerMessage(LogLevel.Error, "Job {Job} is dead after attempt {Attempt}")]
    private partial void LogDead(Exception exception, Guid job, int attempt);
}
