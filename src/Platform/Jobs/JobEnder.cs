using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs;

/// <summary>
/// Writes the ends of runs in batches: what comes while one batch is being committed goes with the next. A batch is repeated until the
/// database has it; that is harmless, since each end is fenced.
/// </summary>
internal sealed partial class JobEnder(NpgsqlDataSource source, JobNode node, TimeProvider time, ILogger<JobEnder> logger)
{
    private const int LargestBatch = 500;
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly Channel<(RunningJob Job, JobEnd End)> ends =
        Channel.CreateUnbounded<(RunningJob, JobEnd)>(new() { SingleReader = true });

    public void End(RunningJob job, JobEnd end)
    {
        job.IsEnding = true;
        ends.Writer.TryWrite((job, end));
    }

    /// <summary>No more ends will come; <see cref="RunAsync"/> ends with the last one.</summary>
    public void Complete() => ends.Writer.TryComplete();

    /// <param name="ct">Gives up: what is not written is left to the leases.</param>
    public async Task RunAsync(CancellationToken ct)
    {
        var batch = new List<(RunningJob Job, JobEnd End)>(LargestBatch);
        while (await ends.Reader.WaitToReadAsync(ct))
        {
            while (batch.Count < LargestBatch && ends.Reader.TryRead(out var end))
            {
                batch.Add(end);
            }
            await WriteAsync(batch, ct);
            foreach (var (job, _) in batch)
            {
                node.Remove(job);
            }
            batch.Clear();
        }
    }

    private async Task WriteAsync(List<(RunningJob Job, JobEnd End)> batch, CancellationToken ct)
    {
        var ends = batch.ConvertAll(one => one.End);
        var isRepeated = false;
        for (var pause = ShortestPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(ct);
                await JobProgressWrites.WriteAsync(connection, batch.Select(one => one.Job), ct);
                var ended = await JobEnds.EndRunsAsync(connection, ends, time, ct);
                foreach (var (job, _) in batch.Where(one => !isRepeated && !one.Job.IsCompletedByHandler && !ended.Contains(one.Job.Job.Id)))
                {
                    JobMetrics.LeaseLost(job.Kind.Name);
                    LogRefused(job.Kind.Name, job.Job.Id, job.Job.Attempt);
                }
                await TellAsync(connection, batch, ct);
                return;
            }
            catch (Exception exception) when (!ct.IsCancellationRequested && Outage.Is(exception))
            {
                LogRepeating(ends.Count, exception.Message);
                isRepeated = true;
            }
            catch (Exception exception) when (!ct.IsCancellationRequested)
            {
                // One end that the database refuses must not hold up the others: alone, it is left to its lease.
                if (batch.Count == 1)
                {
                    LogImpossible(exception, batch[0].Job.Kind.Name, batch[0].Job.Job.Id);
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

    private static async Task TellAsync(NpgsqlConnection connection, List<(RunningJob Job, JobEnd End)> batch, CancellationToken ct)
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
