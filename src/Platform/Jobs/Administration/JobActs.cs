using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs;

/// <summary>
/// What people do to jobs. Each act is in the job's history and in the audit. The scope says which jobs the actor may touch; null is for an
/// operator. Acts on jobs that are not there, or lie outside, fail as not found.
/// </summary>
public sealed class JobActs
{
    private readonly NpgsqlDataSource source;
    private readonly JobStore store;
    private readonly JobKinds kinds;
    private readonly JobQueue queue;
    private readonly TimeProvider time;

    internal JobActs(NpgsqlDataSource source, JobStore store, JobKinds kinds, JobQueue queue, TimeProvider time) =>
        (this.source, this.store, this.kinds, this.queue, this.time) = (source, store, kinds, queue, time);

    /// <summary>At once when it does not run; else its run is told, wherever it is, and ends within seconds.</summary>
    /// <returns>False when it was finished before.</returns>
    public async Task<bool> CancelAsync(Guid id, JobScope? scope, string actor, CancellationToken ct)
    {
        while (await FindAsync(id, scope, ct) is { State: < JobState.Succeeded } job)
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            bool isDone;
            if (job.State is JobState.Running)
            {
                isDone = await AskToCancelAsync(connection, job, ct);
            }
            else
            {
                JobOutcome end = new(id, job.Attempt, JobState.Cancelled, "cancelled", By: actor);
                isDone = (await OutcomeStatements.EndRestingAsync(connection, [end], time, ct)).Count > 0;
            }
            if (isDone)
            {
                await AuditAsync(connection, "job.cancel", $"job:{id}", job.Owner.OrganizationId, actor, ct);
                await ChangeFeed.NotifyAsync(connection, JobWakeUps.News, id.ToString(), ct);
                await transaction.CommitAsync(ct);
                return true;
            }
            // It moved on between the look and the act: look again.
        }
        return false;
    }

    /// <summary>Runs a waiting retry now. A finished job is replayed instead.</summary>
    /// <returns>The job that will run.</returns>
    public async Task<Guid> RetryAsync(Guid id, JobScope? scope, string actor, CancellationToken ct)
    {
        var job = await FindAsync(id, scope, ct);
        if (job.State >= JobState.Succeeded)
        {
            return await ReplayAsync(id, scope, null, actor, ct);
        }
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var command = new NpgsqlCommand(
            "update platform.jobs set run_at = now() where id = $1 and state = 'available'", connection)
        {
            Parameters = { new() { Value = id } },
        };
        if (await command.ExecuteNonQueryAsync(ct) == 0)
        {
            throw new Failure(FailureKind.Conflict, "job_not_waiting", "The job runs now, or waits for something other than time");
        }
        await AuditAsync(connection, "job.retry", $"job:{id}", job.Owner.OrganizationId, actor, ct);
        await transaction.CommitAsync(ct);
        queue.Wake();
        return id;
    }

    /// <summary>
    /// Adds a finished job anew, with its own arguments or with edited ones, which must be arguments of its kind. The old one stays in its
    /// final state; the new one names it in <see cref="JobRow.ReplayOf"/>.
    /// </summary>
    public async Task<Guid> ReplayAsync(Guid id, JobScope? scope, JsonElement? args, string actor, CancellationToken ct)
    {
        var job = await FindAsync(id, scope, ct);
        if (job.State < JobState.Succeeded)
        {
            throw new Failure(FailureKind.Conflict, "job_not_finished", "The job is not finished: cancel or retry it");
        }
        var made = Again(job, args ?? job.Args, actor);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await queue.EnqueueAsync(connection, [made], ct);
        await AuditAsync(connection, "job.replay", $"job:{id}", job.Owner.OrganizationId, actor, ct);
        await transaction.CommitAsync(ct);
        queue.Wake();
        return made.Receipt.Id;
    }

    /// <summary>Replays all finished jobs that the filter lets through, at most its limit. Returns how many.</summary>
    public async Task<int> ReplayManyAsync(JobFilter filter, string actor, CancellationToken ct)
    {
        var jobs = await store.ListAsync(filter with { States = filter.States.Count > 0 ? filter.States : [JobState.Dead] }, ct);
        List<NewJob> again = [.. jobs.Items.Where(job => job.State >= JobState.Succeeded).Select(job => Again(job, job.Args, actor))];
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await queue.EnqueueAsync(connection, again, ct);
        foreach (var job in again)
        {
            await AuditAsync(connection, "job.replay", $"job:{job.ReplayOf}", job.Options.Owner.OrganizationId, actor, ct);
        }
        await transaction.CommitAsync(ct);
        queue.Wake();
        return again.Count;
    }

    /// <summary>Deletes a dead job: it will not be replayed.</summary>
    public async Task DiscardAsync(Guid id, JobScope? scope, string actor, CancellationToken ct)
    {
        var job = await FindAsync(id, scope, ct);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var command = new NpgsqlCommand("delete from platform.finished_jobs where id = $1 and state = 'dead'", connection)
        {
            Parameters = { new() { Value = id } },
        };
        if (await command.ExecuteNonQueryAsync(ct) == 0)
        {
            throw new Failure(FailureKind.Conflict, "job_not_dead", "Only dead jobs are discarded");
        }
        await AuditAsync(connection, "job.discard", $"job:{id}", job.Owner.OrganizationId, actor, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>No node claims jobs of the kind until it is resumed. What runs, runs on.</summary>
    public Task PauseAsync(string kind, string actor, CancellationToken ct) => SetPausedAsync(kind, isPaused: true, actor, ct);

    public Task ResumeAsync(string kind, string actor, CancellationToken ct) => SetPausedAsync(kind, isPaused: false, actor, ct);

    private async Task<JobRow> FindAsync(Guid id, JobScope? scope, CancellationToken ct) =>
        await store.FindAsync(id, scope, ct) ?? throw Failure.NotFound("Job");

    private static async Task<bool> AskToCancelAsync(NpgsqlConnection connection, JobRow job, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            with asked as (
              update platform.jobs set cancel_requested_at = coalesce(cancel_requested_at, now())
              where id = $1 and attempt = $2 and state = 'running' returning id
            )
            select pg_notify($3, 'cancel ' || id) from asked
            """, connection)
        {
            Parameters = { new() { Value = job.Id }, new() { Value = job.Attempt }, new() { Value = JobWakeUps.Channel } },
        };
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await rows.ReadAsync(ct);
    }

    private NewJob Again(JobRow job, JsonElement args, string actor)
    {
        var kind = kinds.Find(job.Kind)
            ?? throw new Failure(FailureKind.Conflict, "unknown_kind", $"This version knows no jobs of kind '{job.Kind}'");
        object read;
        try
        {
            read = kind.Read(args.GetRawText());
        }
        catch (JsonException wrong)
        {
            throw Failure.Invalid($"These are no arguments of '{job.Kind}': {wrong.Message}", "args");
        }
        EnqueueOptions options = new()
        {
            Owner = job.Owner with { CreatedBy = actor }, CorrelationId = job.CorrelationId, UniqueKey = job.UniqueKey,
            LimitKey = job.LimitKey, Priority = job.Priority,
        };
        return queue.MakeAgain(kind, read, options, job.Id);
    }

    private async Task SetPausedAsync(string kind, bool isPaused, string actor, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var command = new NpgsqlCommand("""
            insert into platform.job_kinds (kind, paused_at, paused_by)
            select $1, case when $2 then now() end, case when $2 then $3 end
            where $4 or exists (select from platform.job_kinds where kind = $1) or exists (select from platform.jobs where kind = $1)
            on conflict (kind) do update set paused_at = excluded.paused_at, paused_by = excluded.paused_by
            """, connection)
        {
            Parameters =
            {
                new() { Value = kind }, new() { Value = isPaused }, new() { Value = actor }, new() { Value = kinds.Find(kind) is not null },
            },
        };
        if (await command.ExecuteNonQueryAsync(ct) == 0)
        {
            throw Failure.NotFound("Kind");
        }
        await AuditAsync(connection, isPaused ? "jobs.pause" : "jobs.resume", $"job_kind:{kind}", null, actor, ct);
        await ChangeFeed.NotifyAsync(connection, JobWakeUps.Channel, "resume", ct);
        await transaction.CommitAsync(ct);
    }

    internal async Task AuditAsync(
        NpgsqlConnection connection, string act, string subject, Guid? organizationId, string actor, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "insert into platform.audit (id, at, actor, act, subject, organization_id) values ($1, $2, $3, $4, $5, $6)", connection)
        {
            Parameters =
            {
                new() { Value = Guid.CreateVersion7(time.GetUtcNow()) }, new() { Value = time.GetUtcNow() }, new() { Value = actor },
                new() { Value = act }, new() { Value = subject },
                new() { Value = (object?)organizationId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }
}
