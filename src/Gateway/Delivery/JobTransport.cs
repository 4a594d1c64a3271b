using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Delivery;

/// <summary>A queued run whose message is a row of ours.</summary>
internal sealed record RunQueued(Guid RowId)
{
    public const string Kind = "gateway.run_queued";

    /// <summary>Crashes count as attempts here too. Two of eight workers are always free for what else there is.</summary>
    public static readonly JobRules Rules = new()
    {
        MaxAttempts = 10, Priority = JobPriority.High, MaxRunningPerNode = 6, Timeout = TimeSpan.FromMinutes(11),
    };
}

/// <summary>Without a broker: each run is a job, kept in the transaction that accepts it.</summary>
internal sealed class JobTransport(NpgsqlDataSource source, JobQueue jobs, RunSecrets secrets, TimeProvider time) : IRunTransport
{
    public async Task EnqueueAsync(QueuedRun run, JsonObject? taken, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        var kept = taken is null ? run : run with { KeyRef = id };
        var job = jobs.Make(new RunQueued(id), new() { Owner = new(run.OrganizationId), CorrelationId = run.Id });
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var insert = new NpgsqlCommand("""
            insert into gateway.queued_runs (id, organization_id, message, secrets, job_id, created_at) values ($1, $2, $3, $4, $5, $6)
            """, connection))
        {
            insert.Parameters.Add(new() { Value = id });
            insert.Parameters.Add(new() { Value = run.OrganizationId });
            insert.Parameters.Add(new() { Value = JsonSerializer.Serialize(kept, DeliveryJson.Default.QueuedRun) });
            insert.Parameters.Add(new() { Value = taken is null ? DBNull.Value : secrets.Seal(taken), NpgsqlDbType = NpgsqlDbType.Bytea });
            insert.Parameters.Add(new() { Value = job.Receipt.Id });
            insert.Parameters.Add(new() { Value = now });
            await insert.ExecuteNonQueryAsync(ct);
        }
        await jobs.EnqueueAsync(connection, [job], ct);
        await transaction.CommitAsync(ct);
        jobs.Wake();
    }

    public async Task<QueueState> StateAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select (select count(*) from platform.jobs where kind = $1), (
              select count(*) from gateway.queued_runs queued where message is not null and not exists (
                select from platform.jobs where kind = $1 and (args ->> 'row_id')::uuid = queued.id))
            """);
        command.Parameters.Add(new() { Value = RunQueued.Kind });
        await using var rows = await command.ExecuteReaderAsync(ct);
        await rows.ReadAsync(ct);
        return new("jobs", RunQueued.Kind, rows.GetInt64(0), rows.GetInt64(1));
    }

    public async Task<int> ReplayAsync(int most, CancellationToken ct)
    {
        List<(Guid Id, Guid Organization)> dead = [];
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // What nobody runs any more and yet is there has failed: a success takes its row with it.
        await using (var find = new NpgsqlCommand("""
            select id, organization_id from gateway.queued_runs queued
            where message is not null and not exists (
              select from platform.jobs where kind = $1 and (args ->> 'row_id')::uuid = queued.id)
            order by id limit $2
            for update skip locked
            """, connection))
        {
            find.Parameters.Add(new() { Value = RunQueued.Kind });
            find.Parameters.Add(new() { Value = most });
            await using var rows = await find.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                dead.Add((rows.GetGuid(0), rows.GetGuid(1)));
            }
        }
        await jobs.EnqueueAsync(
            connection, [.. dead.Select(run => jobs.Make(new RunQueued(run.Id), new() { Owner = new(run.Organization) }))], ct);
        await transaction.CommitAsync(ct);
        jobs.Wake();
        return dead.Count;
    }
}

internal sealed class RunQueuedHandler(QueuedRuns runs, NpgsqlDataSource source) : IJobHandler<RunQueued>
{
    public async Task RunAsync(RunQueued job, JobContext context, CancellationToken ct)
    {
        var (message, firstJob) = await FindAsync(job.RowId, ct);
        if (message is null)
        {
            return;
        }
        // A replay is another job: it begins anew, and may say something else than what was delivered before.
        var replay = context.JobId == firstJob ? 0 : BitConverter.ToUInt16(context.JobId.ToByteArray(), 14);
        var run = message with { Attempt = context.Attempt, EnqueuedAt = context.CreatedAt, Replay = replay };
        switch (await runs.RunAsync(run, ct))
        {
            case QueueVerdict.Again { IsCounted: false } again:
                throw JobFailure.Snooze(again.Wait, again.Reason);
            case QueueVerdict.Again again:
                throw JobFailure.RetryAfter(again.Wait, again.Reason);
            case QueueVerdict.Dead dead:
                throw JobFailure.Dead(dead.Reason);
            case QueueVerdict.Done:
                await CompleteAsync(job.RowId, context, ct);
                break;
        }
    }

    private async Task<(QueuedRun? Message, Guid? FirstJob)> FindAsync(Guid id, CancellationToken ct)
    {
        await using var command = source.CreateCommand("select message, job_id from gateway.queued_runs where id = $1");
        command.Parameters.Add(new() { Value = id });
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await rows.ReadAsync(ct) && !rows.IsDBNull(0)
            ? (JsonSerializer.Deserialize(rows.GetString(0), DeliveryJson.Default.QueuedRun), rows.GuidOrNull(1))
            : (null, null);
    }

    private async Task CompleteAsync(Guid id, JobContext context, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var delete = new NpgsqlCommand("delete from gateway.queued_runs where id = $1", connection))
        {
            delete.Parameters.Add(new() { Value = id });
            await delete.ExecuteNonQueryAsync(ct);
        }
        await context.CompleteAsync(connection, ct);
        await transaction.CommitAsync(ct);
    }
}
