using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs.Api;

/// <summary>
/// Tells watchers what becomes of their jobs. One subscription to the change feed and one statement at a time serve all of them,
/// however many there are. Each watcher has room for one look: a slow one misses only what is outdated.
/// </summary>
internal sealed partial class JobWatch(
    NpgsqlDataSource source, ChangeFeed changes, DatabaseReadiness readiness,
    TimeProvider time, ILogger<JobWatch> logger) : BackgroundService
{
    /// <summary>In one process. A watcher costs some kilobytes and a connection.</summary>
    internal const int MostWatchers = 2_000;

    // Not every change is told: a job that never reported progress ends in silence.
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private readonly Dictionary<Guid, List<Watcher>> watchers = [];
    private readonly Channel<bool> signal = System.Threading.Channels.Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private int count;

    /// <summary>Begins to watch; the first look comes at once.</summary>
    /// <exception cref="Failure">Unavailable: there are too many.</exception>
    public Watcher Open(Guid job)
    {
        var watcher = new Watcher(job, Close);
        lock (gate)
        {
            if (count >= MostWatchers)
            {
                throw Failure.Unavailable("Too many watch jobs here at the moment", TimeSpan.FromSeconds(10));
            }
            count++;
            if (!watchers.TryGetValue(job, out var same))
            {
                watchers[job] = same = [];
            }
            same.Add(watcher);
        }
        signal.Writer.TryWrite(true);
        return watcher;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(() => RunAsync(stoppingToken));

    private void Close(Watcher watcher)
    {
        lock (gate)
        {
            if (watchers.TryGetValue(watcher.Job, out var same) && same.Remove(watcher))
            {
                count--;
                if (same.Count == 0)
                {
                    watchers.Remove(watcher.Job);
                }
            }
        }
    }

    private async Task RunAsync(CancellationToken ct)
    {
        await readiness.WhenReady(ct);
        using var subscription = changes.Subscribe(JobWakeUps.News, (news, _) =>
        {
            if (news is null || (Guid.TryParse(news, out var job) && IsWatched(job)))
            {
                signal.Writer.TryWrite(true);
            }
            return Task.CompletedTask;
        });
        while (true)
        {
            await LookAsync(ct);
            await Task.Delay(ShortestPause, time, ct);
            await WaitAsync(ct);
        }
    }

    private bool IsWatched(Guid job)
    {
        lock (gate)
        {
            return watchers.ContainsKey(job);
        }
    }

    private async Task LookAsync(CancellationToken ct)
    {
        Watcher[] all;
        lock (gate)
        {
            all = [.. watchers.Values.SelectMany(same => same)];
        }
        if (all.Length == 0)
        {
            return;
        }
        try
        {
            var jobs = await ReadAsync([.. all.Select(watcher => watcher.Job).Distinct()], ct);
            foreach (var watcher in all)
            {
                watcher.Offer(jobs.GetValueOrDefault(watcher.Job));
            }
        }
        catch (Exception error) when (!ct.IsCancellationRequested)
        {
            // They wait for the database together.
            LogFailed(error.Message);
        }
    }

    private async Task<Dictionary<Guid, JobView>> ReadAsync(Guid[] ids, CancellationToken ct)
    {
        await using var command = source.CreateCommand($"""
            select {JobRow.Open} from platform.jobs where id = any ($1)
            union all
            select {JobRow.Finished} from platform.finished_jobs where id = any ($1)
            """);
        command.Parameters.Add(new() { Value = ids });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var jobs = new Dictionary<Guid, JobView>();
        while (await rows.ReadAsync(ct))
        {
            var job = JobView.Of(JobRow.Read(rows));
            jobs[job.Id] = job;
        }
        return jobs;
    }

    private async Task WaitAsync(CancellationToken ct)
    {
        using var pause = new CancellationTokenSource(LookEvery, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, pause.Token);
        try
        {
            // Without watchers there is nothing to look for.
            await signal.Reader.ReadAsync(Volatile.Read(ref count) == 0 ? ct : either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // Nobody called: look all the same.
        }
    }

    [LoggerMessage(LogLevel.Warning, "Watched jobs could not be looked at: {Problem}")]
    private partial void LogFailed(string problem);

    /// <summary>Somebody's view of one job: the newest look, when it differs from the one before.</summary>
    internal sealed class Watcher(Guid job, Action<Watcher> close) : IDisposable
    {
        private readonly Channel<JobView> looks = System.Threading.Channels.Channel.CreateBounded<JobView>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

        private string? last;

        public Guid Job => job;

        /// <summary>Completes when the job is no more.</summary>
        public ChannelReader<JobView> Looks => looks.Reader;

        public void Offer(JobView? row)
        {
            if (row is null)
            {
                looks.Writer.TryComplete();
            }
            else if (row.Version != last)
            {
                last = row.Version;
                looks.Writer.TryWrite(row);
            }
        }

        public void Dispose() => close(this);
    }
}
