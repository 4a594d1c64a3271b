using System.Threading.Channels;
using Microsoft.Extensions.Hosting;

namespace Stoa.Platform.Data;

/// <summary>
/// Gathers rows from many callers into batches for one <see cref="CopyTable{T}"/>. When the database cannot keep up, callers wait;
/// nothing is dropped. Rows written before the host stops are stored before it ends, if the database is there.
/// </summary>
public sealed class CopyWriter<T>(CopyTable<T> table, TimeProvider time, int capacity = 8192, int batchSize = 1024) : BackgroundService
{
    // Long enough to gather a batch under load, short against the second within which rows should be seen.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(5);

    private readonly Channel<T> rows = Channel.CreateBounded<T>(new BoundedChannelOptions(capacity) { SingleReader = true });

    /// <summary>Takes the row, or waits until there is room for it.</summary>
    public ValueTask WriteAsync(T row, CancellationToken ct) => rows.Writer.WriteAsync(row, ct);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        rows.Writer.TryComplete();
        if (ExecuteTask is { } storing)
        {
            await storing.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<T>(batchSize);
        try
        {
            while (await rows.Reader.WaitToReadAsync(stoppingToken))
            {
                Drain(batch);
                if (batch.Count < batchSize && !rows.Reader.Completion.IsCompleted)
                {
                    await Task.Delay(Gathering, time, stoppingToken);
                    Drain(batch);
                }
                await table.StoreAsync(batch, stoppingToken);
                batch.Clear();
            }
        }
        catch (OperationCanceledException) when (batch.Count + rows.Reader.Count > 0)
        {
            // The host may wait no longer. Whoever cannot bear that keeps his rows elsewhere until they are stored.
            table.LogAbandoned(batch.Count + rows.Reader.Count);
        }
    }

    private void Drain(List<T> batch)
    {
        while (batch.Count < batchSize && rows.Reader.TryRead(out var row))
        {
            batch.Add(row);
        }
    }
}
