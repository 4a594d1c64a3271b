using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Usage;

/// <summary>Takes usage from the spools into the database, in batches, each record exactly once, within a second of the call.</summary>
internal sealed partial class UsageLoader(
    UsageSpool spool, UsageStore store, DatabaseReadiness database, TimeProvider time, ILogger<UsageLoader> logger)
    : BackgroundService
{
    private const int BatchSize = 2_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AbandonedEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MonthsEvery = TimeSpan.FromHours(6);

    private readonly Dictionary<Guid, SpoolPosition> positions = [];
    private bool isFailing;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => EventThread.RunOnPool(() => RunAsync(stoppingToken));

    /// <summary>One last round, so that a clean stop leaves nothing behind.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (database.IsReady)
        {
            // What there is no time for stays in the spool; the next host loads it.
            await TryAsync(LoadOwnAsync, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RunAsync(CancellationToken ct)
    {
        await database.WhenReady(ct);
        var nextAbandoned = time.GetTimestamp();
        var nextMonths = nextAbandoned;
        while (!ct.IsCancellationRequested)
        {
            if (time.GetTimestamp() >= nextMonths)
            {
                await TryAsync(store.MakeMonthsAsync, ct);
                nextMonths = time.GetTimestamp() + (long)(MonthsEvery.TotalSeconds * time.TimestampFrequency);
            }
            spool.Prepare();
            await TryAsync(LoadOwnAsync, ct);
            if (time.GetTimestamp() >= nextAbandoned)
            {
                await TryAsync(LoadAbandonedAsync, ct);
                nextAbandoned = time.GetTimestamp() + (long)(AbandonedEvery.TotalSeconds * time.TimestampFrequency);
            }
            await Task.Delay(Pause, time, ct);
        }
    }

    private async Task TryAsync(Func<CancellationToken, Task> step, CancellationToken ct)
    {
        try
        {
            await step(ct);
            if (isFailing)
            {
                isFailing = false;
                LogRecovered();
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            // Whether the last commit took is unknown: ask the database again.
            positions.Clear();
            if (!isFailing)
            {
                isFailing = true;
                LogWaiting(failure);
            }
            await Task.Delay(TimeSpan.FromSeconds(1), time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LoadOwnAsync(CancellationToken ct)
    {
        var segments = spool.Segments();
        foreach (var segment in segments)
        {
            // Seen before loading: while it was the last, more may have come behind what was loaded.
            var isOpen = segment == segments[^1];
            await LoadAsync(spool.Folder.Id, segment, ct);
            if (!isOpen)
            {
                spool.Remove(segment);
            }
        }
    }

    private async Task LoadAbandonedAsync(CancellationToken ct)
    {
        foreach (var folder in SpoolFolder.ClaimAbandoned(spool.Root))
        {
            using (folder)
            {
                foreach (var number in folder.SegmentNumbers())
                {
                    using var segment = SpoolSegment.Open(folder.Path, number, 0);
                    await LoadAsync(folder.Id, segment, ct);
                    File.Delete(segment.Path);
                }
            }
        }
    }

    /// <summary>Loads all that is written in the segment and not yet in the database.</summary>
    private async Task LoadAsync(Guid spoolId, SpoolSegment segment, CancellationToken ct)
    {
        if (!positions.TryGetValue(spoolId, out var position))
        {
            position = positions[spoolId] = await store.PositionAsync(spoolId, ct);
        }
        var offset = position.Segment switch
        {
            var loaded when loaded == segment.Number => position.Offset,
            var loaded when loaded > segment.Number => int.MaxValue,
            _ => 0,
        };
        while (offset < segment.Written)
        {
            var batch = new List<UsageRecord>(BatchSize);
            offset = Read(segment, offset, batch);
            if (batch.Count == 0)
            {
                LogUnreadable(segment.Path, offset);
                return;
            }
            var next = new SpoolPosition(segment.Number, offset);
            await store.AddAsync(spoolId, positions[spoolId], next, batch, ct);
            positions[spoolId] = next;
        }
    }

    private static int Read(SpoolSegment segment, int offset, List<UsageRecord> batch)
    {
        while (batch.Count < BatchSize && segment.RecordAt(offset) is { IsEmpty: false } record)
        {
            batch.Add(UsageRecord.Read(record));
            offset = SpoolSegment.Behind(offset, record.Length);
        }
        return offset;
    }

    [LoggerMessage(LogLevel.Warning, "Usage waits in the spool: the database cannot take it now")]
    private partial void LogWaiting(Exception failure);

    [LoggerMessage(LogLevel.Error, "{Path} holds no record at {Offset}, where one should begin")]
    private partial void LogUnreadable(string path, int offset);

    [LoggerMessage(LogLevel.Information, "Usage is being loaded again")]
    private partial void LogRecovered();
}
