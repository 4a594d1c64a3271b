using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs;

/// <summary>
/// Writes the outcomes of runs in batches: what comes while one batch is being committed goes with the next. A batch is repeated until the
/// database has it; that is harmless, since each is fenced.
/// </summary>
internal sealed partial class OutcomeWriter(NpgsqlDataSource source, JobNode node, TimeProvider time, ILogger<OutcomeWriter> logger)
{
    private const int LargestBatch = 500;
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly Channel<(RunningJob Job, JobOutcome Outcome)> queue =
        Channel.CreateUnbounded<(RunningJob, JobOutcome)>(new() { SingleReader = true });

    // Handed over and not settled yet, wherever they wait; one more until Complete.
    private int open = 1;

    public void Write(RunningJob job, JobOutcome outcome)
    {
        job.IsEnding = true;
        Interlocked.Increment(ref open);
        queue.Writer.TryWrite((job, outcome));
    }

    /// <summary>
    /// No more will come; <see cref="RunAsync"/> ends with the last one, also when another transaction holds that for a while.
    /// </summary>
    public void Complete() => Settled();

    /// <param name="ct">Gives up: what is not written is left to the leases.</param>
    public async Task RunAsync(CancellationToken ct)
    {
        var batch = new List<(RunningJob Job, JobOutcome Outcome)>(LargestBatch);
        while (await queue.Reader.WaitToReadAsync(ct))
        {
            while (batch.Count < LargestBatch && queue.Reader.TryRead(out var one))
            {
                batch.Add(one);
            }
            await WriteAsync(batch, ct);
            batch.Clear();
        }
    }

    private async Task WriteAsync(List<(RunningJob Job, JobOutcome Outcome)> batch, CancellationToken ct)
    {
        var isRepeated = false;
        for (var pause = ShortestPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(ct);
                await JobProgressWrites.WriteAsync(connection, node, () => batch.Select(one => one.Job), ct);
                // A job's last word goes before its end: where another transaction holds the row, both come again.
                var ready = batch.Where(one => one.Job.Unwritten is null).Select(one => one.Outcome).ToList();
                var ended = await OutcomeStatements.EndRunsAsync(connection, ready, time, ct);
                await TellAsync(connection, batch, ct);
                var left = batch.Where(one => !ended.Contains(one.Outcome.Id)).ToList();
                if (left.Count > 0)
                {
                    await SettleAsync(connection, left, isRepeated, ct);
                }
                Forget(batch.Where(one => ended.Contains(one.Outcome.Id)));
                return;
            }
            catch (Exception exception) when (!ct.IsCancellationRequested && Outage.Is(exception))
            {
                if (!isRepeated)
                {
                    LogRepeating(batch.Count, exception.Message);
                }
                isRepeated = true;
            }
            catch (Exception exception) when (!ct.IsCancellationRequested)
            {
                // One outcome that the database refuses must not hold up the others: alone, it is left to its lease.
                if (batch.Count == 1)
                {
                    LogImpossible(exception, batch[0].Job.Kind.Name, batch[0].Job.Job.Id);
                    Forget(batch);
                    return;
                }
                var middle = batch.Count / 2;
                await WriteAsync(batch[..middle], ct);
                await WriteAsync(batch[middle..], ct);
                return;
            }
            await Task.Delay(pause, time, ct);
        }
    }

    /// <summary>Outcomes that were not written: another transaction holds the row and they come again, or the lease was lost.</summary>
    private async Task SettleAsync(
        NpgsqlConnection connection, List<(RunningJob Job, JobOutcome Outcome)> left, bool isRepeated, CancellationToken ct)
    {
        var held = await OutcomeStatements.StillTheirsAsync(connection, left.ConvertAll(one => one.Outcome), ct);
        foreach (var (job, outcome) in left)
        {
            if (held.Contains(outcome.Id))
            {
                _ = LaterAsync(job, outcome);
            }
            else if (!isRepeated && !job.IsCompletedByHandler)
            {
                JobMetrics.LeaseLost(job.Kind.Name);
                LogRefused(job.Kind.Name, job.Job.Id, job.Job.Attempt);
            }
        }
        Forget(left.Where(one => !held.Contains(one.Outcome.Id)));
    }

    private async Task LaterAsync(RunningJob job, JobOutcome outcome)
    {
        await Task.Delay(ShortestPause, time);
        queue.Writer.TryWrite((job, outcome));
    }

    private void Forget(IEnumerable<(RunningJob Job, JobOutcome Outcome)> batch)
    {
        foreach (var (job, _) in batch)
        {
            node.Remove(job);
            Settled();
        }
    }

    private void Settled()
    {
        if (Interlocked.Decrement(ref open) == 0)
        {
            queue.Writer.TryComplete();
        }
    }

    private static async Task TellAsync(NpgsqlConnection connection, List<(RunningJob Job, JobOutcome Outcome)> batch, CancellationToken ct)
    {
        foreach (var (job, _) in batch.Where(one => one.Job.HasNews))
        {
            await ChangeFeed.NotifyAsync(connection, JobWakeUps.News, job.Job.Id.ToString(), ct);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Ends of {Count} jobs are written again: {Problem}")]
    private partial void LogRepeating(int count, string problem);

    [LoggerMessage(LogLevel.Warning, "The end of {Kind} {Job} was refused: attempt {Attempt} had lost its lease")]
    private partial void LogRefused(string kind, Guid job, int attempt);

    [LoggerMessage(LogLevel.Error, "The end of {Kind} {Job} cannot be written; it will run again")]
    private partial void LogImpossible(Exception exception, string kind, Guid job);
}
