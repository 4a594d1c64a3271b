using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs;

/// <summary>
/// A node's workers: claims what is due, as much as they can soon take on; lets them run it; and at the end hands everything back.
/// </summary>
internal sealed partial class JobRunner(
    JobKinds kinds, JobNode node, JobExecution execution, OutcomeWriter outcomes,
    JobKeeper keeper, JobWakeUps wakeUps, NpgsqlDataSource source,
    Readiness readiness, ChangeFeed changes, IOptions<JobOptions> options, TimeProvider time, ILogger<JobRunner> logger)
    : BackgroundService
{
    // Claims are at least so far apart: a stream of single jobs becomes batches, and nobody notices the wait.
    private static readonly TimeSpan Spacing = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestInLine = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);

    private readonly Channel<RunningJob> ready = Channel.CreateUnbounded<RunningJob>(new() { SingleWriter = true });
    private readonly JobClaims claims = new(source, node.Name);
    private readonly JobPace pace = new(options.Value.Workers);
    private readonly JobKind[] free = [.. kinds.All.Where(kind => !kind.Rules.IsLimited)];
    private readonly JobKind[] limited = [.. kinds.All.Where(kind => kind.Rules.IsLimited)];
    private volatile bool moreIsDue;
    private int held;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(() => RunAsync(stoppingToken));

    private async Task RunAsync(CancellationToken ct)
    {
        await readiness.WhenReady(ct);
        using var subscription = changes.Subscribe(JobWakeUps.Channel, HearAsync);
        using var aftermath = new CancellationTokenSource();
        var keeping = keeper.RunAsync(aftermath.Token);
        var ending = outcomes.RunAsync(aftermath.Token);
        Task[] workers = [.. Enumerable.Range(0, options.Value.Workers).Select(_ => WorkAsync())];
        await ClaimUntilAsync(ct);
        await DrainAsync(Task.WhenAll(workers), ending);
        await aftermath.CancelAsync();
        await Task.WhenAll(keeping, ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task HearAsync(string? message, CancellationToken ct)
    {
        switch (message?.Split(' '))
        {
            case null:
                await keeper.HeedCancellationsAsync(ct);
                wakeUps.WakeHere();
                break;
            case ["wake", var process] when process != wakeUps.Process:
                wakeUps.WakeHere();
                break;
            case ["cancel", var id] when Guid.TryParse(id, out var job):
                node.Find(job)?.Stop(StopReason.Cancelled);
                break;
            case ["resume"]:
                wakeUps.WakeHere();
                break;
        }
    }

    private async Task ClaimUntilAsync(CancellationToken ct)
    {
        var pause = Spacing;
        var isFailing = false;
        var isCalled = true;
        while (!ct.IsCancellationRequested)
        {
            var claimedAt = time.GetTimestamp();
            try
            {
                if (isFailing)
                {
                    await ReleaseUnknownAsync(ct);
                    isFailing = false;
                    LogClaimsAgain();
                }
                var room = pace.Room(Volatile.Read(ref held));
                moreIsDue = true;
                moreIsDue = room == 0
                    || ((isCalled || await claims.IsAnyDueAsync(free, limited, ct)) && await ClaimAsync(room, ct) == room);
                HandBackUnstarted("It waited behind a long job", LongestInLine);
                if (!moreIsDue || pace.Room(Volatile.Read(ref held)) == 0)
                {
                    isCalled = await wakeUps.WaitAsync(TimeSpan.FromMilliseconds(options.Value.PollMs), ct);
                }
                pause = Spacing;
            }
            catch (Exception exception) when (!ct.IsCancellationRequested)
            {
                if (!isFailing)
                {
                    LogCannotClaim(exception.Message);
                }
                isFailing = true;
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
            catch (Exception)
            {
                // The node stops, and how the driver words that does not matter. A claim that was under way may have been committed all the
                // same.
                var release = ReleaseUnknownAsync(CancellationToken.None);
                await IsOverAsync(release, LastWords);
                return;
            }
            if (isFailing || time.GetElapsedTime(claimedAt) < pause)
            {
                await Task.Delay(pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<int> ClaimAsync(int room, CancellationToken ct)
    {
        var asked = time.GetTimestamp();
        List<ClaimedJob> claimed = [];
        if (limited.Length > 0)
        {
            // Half for each, so that neither sort of kinds can starve the other.
            claimed = await claims.TakeLimitedAsync(limited, free.Length > 0 ? (room + 1) / 2 : room, ct);
            Take(claimed, asked);
        }
        if (free.Length > 0 && room > claimed.Count)
        {
            var more = await claims.TakeFreeAsync(free, room - claimed.Count, ct);
            Take(more, asked);
            return claimed.Count + more.Count;
        }
        return claimed.Count;
    }

    private void Take(List<ClaimedJob> claimed, long asked)
    {
        foreach (var job in claimed)
        {
            var kind = kinds.Find(job.Kind)!;
            var running = new RunningJob(job, kind, asked, asked + (long)(kind.Rules.Lease.TotalSeconds * time.TimestampFrequency));
            node.Add(running);
            Interlocked.Increment(ref held);
            ready.Writer.TryWrite(running);
        }
    }

    /// <summary>A claim whose answer got lost leased jobs to us of which we know nothing.</summary>
    private async Task ReleaseUnknownAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        List<JobOutcome> unknown = [];
        await using (var command =
            new NpgsqlCommand("select id, attempt from platform.jobs where state = 'running' and node = $1", connection)
        {
            Parameters = { new() { Value = node.Name } },
        })
        {
            await using var rows = await command.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                if (node.Find(rows.GetGuid(0)) is null)
                {
                    unknown.Add(new(
                        rows.GetGuid(0), rows.GetInt32(1), JobState.Available, "released", "The claim's answer was lost", IsFree: true));
                }
            }
        }
        await OutcomeStatements.EndRunsAsync(connection, unknown, time, ct);
    }

    private async Task WorkAsync()
    {
        await foreach (var job in ready.Reader.ReadAllAsync())
        {
            if (job.TryTake())
            {
                pace.Ran(await execution.RunAsync(job));
                Interlocked.Decrement(ref held);
                if (moreIsDue || job.Kind.Rules.IsLimited)
                {
                    wakeUps.WakeHere();
                }
            }
        }
    }

    private async Task DrainAsync(Task workers, Task ending)
    {
        HandBackUnstarted("The node stopped", TimeSpan.Zero);
        ready.Writer.Complete();
        await IsOverAsync(workers, TimeSpan.FromSeconds(options.Value.DrainSeconds));
        foreach (var job in node.Jobs)
        {
            job.Stop(StopReason.Draining);
        }
        if (!await IsOverAsync(workers, LastWords))
        {
            foreach (var job in node.Jobs.Where(job => !job.IsEnding))
            {
                LogLeftRunning(job.Kind.Name, job.Job.Id);
                outcomes.Write(job, JobOutcome.Released(job.Job, "The node stopped while it ran"));
            }
        }
        outcomes.Complete();
        await IsOverAsync(ending, LastWords);
        await LeaveAsync().WaitAsync(LastWords, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void HandBackUnstarted(string why, TimeSpan heldFor)
    {
        foreach (var job in node.Jobs.Where(job => time.GetElapsedTime(job.Since) >= heldFor && job.TryTake()))
        {
            Interlocked.Decrement(ref held);
            outcomes.Write(job, JobOutcome.Released(job.Job, why));
        }
    }

    /// <summary>Others take over at once.</summary>
    private async Task LeaveAsync()
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var leave = new NpgsqlCommand("delete from platform.job_nodes where id = $1", connection)
        {
            Parameters = { new() { Value = node.Name } },
        };
        await leave.ExecuteNonQueryAsync();
        await ChangeFeed.NotifyAsync(connection, JobWakeUps.Channel, $"wake {wakeUps.Process}", CancellationToken.None);
    }

    private async Task<bool> IsOverAsync(Task work, TimeSpan patience)
    {
        await work.WaitAsync(patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return work.IsCompleted;
    }

    [LoggerMessage(LogLevel.Warning, "No jobs can be claimed now: {Problem}")]
    private partial void LogCannotClaim(string problem);

    [LoggerMessage(LogLevel.Information, "Jobs are being claimed again")]
    private partial void LogClaimsAgain();

    [LoggerMessage(LogLevel.Error, "{Kind} {Job} did not stop when it was told to; it is handed back and fenced off")]
    private partial void LogLeftRunning(string kind, Guid job);
}
