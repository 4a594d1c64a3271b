using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Gateway.Batches.Agents;
using Stoa.Gateway.Batches.Native;
using Stoa.Gateway.Files;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Batches;

/// <summary>
/// Brings a batch to its end: checks the file, has the lines answered that have no answer yet, hands over the results. Each step is
/// committed before the next, so a run after a crash goes on where the last one was.
/// </summary>
internal sealed class RunBatchHandler(
    GatewayDb db, BatchLines lines, FileStore files, CallBatches calls, AgentBatches agents, TimeProvider time) : IJobHandler<RunBatch>
{
    public static readonly JobRules Rules = new()
    {
        Priority = JobPriority.Low,
        MaxRunningPerTenant = 2,
        Timeout = TimeSpan.FromMinutes(20),
        // Ten minutes apart they last longer than any batch: what is away for hours, a provider or a disk, ends none.
        MaxAttempts = 200,
        LongestWait = TimeSpan.FromMinutes(10),
    };

    private const int AtOnce = 8;
    private const int PageLines = 200;
    private const int InsertLines = 500;
    private const int InsertBytes = 8 << 20;

    /// <summary>Then another batch may have its turn.</summary>
    private static readonly TimeSpan Shift = TimeSpan.FromMinutes(5);

    /// <summary>When the key's limits, or a provider's, are used up.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    /// <summary>How often a provider is asked how far it is.</summary>
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(15);

    /// <summary>What a provider may take beyond the window before it is given up.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    public async Task RunAsync(RunBatch job, JobContext context, CancellationToken ct)
    {
        if (await db.Batches.FirstOrDefaultAsync(batch => batch.Id == job.BatchId, ct) is not { EndedAt: null } batch)
        {
            return;
        }
        if (batch.Status == BatchStatus.Validating && !await ValidateAsync(batch, ct))
        {
            return;
        }
        IBatchWay way = batch.Kind == BatchKind.Gtwy ? agents : calls;
        if (batch is { Status: BatchStatus.InProgress, Provider: null })
        {
            (batch.Provider, batch.ProviderBatchId) = await way.BeginAsync(batch, ct) is var (model, id) ? (model, id) : ("", null);
            await db.SaveChangesAsync(ct);
        }
        if (batch.ProviderBatchId is not null)
        {
            await FollowAsync(batch, way, ct);
        }
        if (batch is { Status: BatchStatus.InProgress, ProviderBatchId: null })
        {
            await CallAsync(batch, way, context, ct);
        }
        await db.Entry(batch).ReloadAsync(ct);
        await FinishAsync(batch, way, ct);
    }

    /// <summary>Looks how far the provider is, again and again at growing distances; at the end brings in what it has.</summary>
    private async Task FollowAsync(Batch batch, IBatchWay way, CancellationToken ct)
    {
        if (batch is { Status: BatchStatus.Cancelling, FinalizingAt: null })
        {
            batch.FinalizingAt = time.GetUtcNow();
            await way.CancelAsync(batch, ct);
            await db.SaveChangesAsync(ct);
        }
        var state = await way.StateAsync(batch, ct);
        switch (state.Progress)
        {
            case NativeProgress.UnderWay when batch.ExpiresAt + Grace > time.GetUtcNow():
                var age = time.GetUtcNow() - batch.CreatedAt;
                var wait = TimeSpan.FromTicks(Math.Clamp(age.Ticks / 4, FirstLook.Ticks, LongestLook.Ticks));
                throw JobFailure.Snooze(wait, "The provider is at work");
            case NativeProgress.Failed or NativeProgress.Ended:
                if (state.Progress == NativeProgress.Ended)
                {
                    await way.CollectAsync(batch, state, ct);
                }
                // What it has not answered is done here.
                (batch.Provider, batch.ProviderBatchId) = ("", null);
                await db.SaveChangesAsync(ct);
                break;
        }
    }

    /// <summary>Takes the lines from the file. False when that ended the batch.</summary>
    private async Task<bool> ValidateAsync(Batch batch, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var reader = new BatchFileReader(batch.Endpoint);
        if (batch.InputFileId is { } fileId)
        {
            await using var content = await files.FindAsync(batch.OrganizationId, fileId, ct) is { } file
                ? await files.OpenAsync(file, ct) : null;
            if (content is null)
            {
                reader.Errors.Add(new()
                {
                    ["code"] = "file_not_found", ["line"] = null, ["message"] = "The input file is gone", ["param"] = "input_file_id",
                });
            }
            else
            {
                await AddLinesAsync(batch, reader.ReadAsync(content, ct), ct);
            }
            batch.Total = reader.Count;
        }
        if (reader.Errors.Count > 0)
        {
            await transaction.RollbackAsync(ct);
            var document = batch.Document.DeepClone().AsObject();
            document["errors"] = new JsonObject { ["object"] = "list", ["data"] = new JsonArray([.. reader.Errors]) };
            batch.Document = document;
            batch.Status = BatchStatus.Failed;
            batch.EndedAt = time.GetUtcNow();
            await db.SaveChangesAsync(ct);
            return false;
        }
        batch.StartedAt = time.GetUtcNow();
        await db.SaveChangesAsync(ct);
        // Unless its client has cancelled it meanwhile.
        await db.Batches.Where(row => row.Id == batch.Id && row.Status == BatchStatus.Validating)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.Status, BatchStatus.InProgress), ct);
        await transaction.CommitAsync(ct);
        await db.Entry(batch).ReloadAsync(ct);
        return true;
    }

    private async Task AddLinesAsync(Batch batch, IAsyncEnumerable<BatchLine> all, CancellationToken ct)
    {
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        var (page, bytes) = (new List<BatchLine>(), 0L);
        await foreach (var line in all)
        {
            page.Add(line);
            bytes += line.Request.Length;
            if (page.Count == InsertLines || bytes > InsertBytes)
            {
                await BatchLines.AddAsync(connection, batch.Id, page, ct);
                page.Clear();
                bytes = 0;
            }
        }
        if (page.Count > 0)
        {
            await BatchLines.AddAsync(connection, batch.Id, page, ct);
        }
    }

    /// <summary>Calls what has no answer, until all have one, the batch is cancelled or its time is over.</summary>
    private async Task CallAsync(Batch batch, IBatchWay way, JobContext context, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var number = 0;
        while (batch.ExpiresAt > time.GetUtcNow() && await IsWantedAsync(batch, ct))
        {
            var page = await lines.OpenAsync(batch.Id, number, PageLines, ct);
            if (page.Count == 0)
            {
                return;
            }
            number = page[^1].Number;
            var isLimited = false;
            var together =
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct, TaskScheduler = TaskScheduler.Current };
            await Parallel.ForEachAsync(page.TakeWhile(_ => time.GetElapsedTime(started) < Shift), together, async (line, ct) =>
            {
                if (!Volatile.Read(ref isLimited) && await way.AnswerAsync(batch, line, ct) is { } answer)
                {
                    await lines.AnswerAsync(batch.Id, line.Number, answer, ct);
                }
                else
                {
                    Volatile.Write(ref isLimited, true);
                }
            });
            context.Report(number, batch.Total);
            if (isLimited)
            {
                throw JobFailure.Snooze(Pause, "A limit is used up");
            }
            if (time.GetElapsedTime(started) >= Shift)
            {
                throw JobFailure.Snooze(TimeSpan.Zero, "Others may have their turn");
            }
        }
    }

    private Task<bool> IsWantedAsync(Batch batch, CancellationToken ct) =>
        db.Batches.AnyAsync(row => row.Id == batch.Id && row.Status == BatchStatus.InProgress, ct);

    private async Task FinishAsync(Batch batch, IBatchWay way, CancellationToken ct)
    {
        var end = batch.Status == BatchStatus.Cancelling ? BatchStatus.Cancelled
            : batch.Completed + batch.Failed < batch.Total ? BatchStatus.Expired
            : BatchStatus.Completed;
        if (batch.Status != BatchStatus.Cancelling)
        {
            batch.Status = BatchStatus.Finalizing;
        }
        batch.FinalizingAt ??= time.GetUtcNow();
        await db.SaveChangesAsync(ct);
        await way.FinishAsync(batch, end, ct);
        batch.Status = end;
        batch.EndedAt = time.GetUtcNow();
        await db.SaveChangesAsync(ct);
    }
}
