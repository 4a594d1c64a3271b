using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.JobsRig;

/// <summary>What the test worker does wrong on purpose, so that the ledger can show that it would notice.</summary>
public enum Mutant
{
    None,
    /// <summary>Effects are committed without asking whether the run still holds its lease.</summary>
    NoFence,
    /// <summary>The job is completed first, and its effect written afterwards.</summary>
    CompleteFirst,
    /// <summary>The job is committed before its cause, which may then never be.</summary>
    EnqueueOutside,
}

/// <summary>
/// How a handler binds its effect to its run: in the transaction of the completion, by fence and inbox, or by the fence alone.
/// </summary>
internal enum Bond
{
    Completed,
    Once,
    Fenced,
}

internal sealed record Effect(Guid Cause, Bond Bond);

internal sealed record Shared(Guid Cause);

internal sealed record Merged(string Key);

internal sealed record Slot(long Second);

internal sealed record NoOp(int Number);

internal sealed record Endless;

[JsonSerializable(typeof(Effect))]
[JsonSerializable(typeof(Shared))]
[JsonSerializable(typeof(Merged))]
[JsonSerializable(typeof(Slot))]
[JsonSerializable(typeof(NoOp))]
[JsonSerializable(typeof(Endless))]
internal sealed partial class RigJson : JsonSerializerContext;

internal static class RigJobs
{
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    public static readonly JobRules Rules = new()
    {
        Lease = Lease, FirstWait = TimeSpan.FromMilliseconds(50),
        LongestWait = TimeSpan.FromSeconds(1), MaxAttempts = 8, Timeout = TimeSpan.FromSeconds(20),
    };

    public const int PerCluster = 5;
    public const int PerKey = 2;

    public static IServiceCollection AddRigJobs(this IServiceCollection services, Mutant mutant)
    {
        services.AddSingleton(new Misdeed(mutant));
        services.AddJob<Effect, EffectHandler>("rig.effect", RigJson.Default.Effect, Rules);
        services.AddJob<Shared, SharedHandler>(
            "rig.shared", RigJson.Default.Shared, Rules with { MaxRunning = PerCluster, MaxRunningPerKey = PerKey });
        services.AddJob<Merged, MergedHandler>("rig.merged", RigJson.Default.Merged, Rules with { MaxAttempts = 1000 });
        return services.AddJob<Slot, SlotHandler>("rig.slot", RigJson.Default.Slot, Rules);
    }
}

internal sealed record Misdeed(Mutant Mutant);

/// <summary>
/// Writes a line into the ledger. Beside the attempt that writes it stands the attempt that holds the lease at that moment.
/// </summary>
internal sealed class EffectHandler(NpgsqlDataSource source, Misdeed misdeed, TimeProvider time) : IJobHandler<Effect>
{
    public async Task RunAsync(Effect job, JobContext context, CancellationToken ct)
    {
        var roll = Random.Shared.Next(100);
        await Task.Delay(TimeSpan.FromMilliseconds(roll < 5 ? 1500 : Random.Shared.Next(40)), time, ct);
        switch (roll)
        {
            case < 8:
                throw new InvalidOperationException($"Roll {roll}");
            case < 12:
                throw JobFailure.Snooze(TimeSpan.FromMilliseconds(20), "not yet");
        }
        await using var connection = await source.OpenConnectionAsync(ct);
        if (misdeed.Mutant is Mutant.CompleteFirst)
        {
            await context.CompleteAsync(connection, ct);
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, ct);
        }
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var isWanted = true;
        if (misdeed.Mutant is not (Mutant.NoFence or Mutant.CompleteFirst))
        {
            if (job.Bond is not Bond.Completed)
            {
                await context.FenceAsync(connection, ct);
            }
            isWanted = job.Bond is not Bond.Once || await context.TryOnceAsync(connection, job.Cause.ToString(), ct);
        }
        if (isWanted)
        {
            await using var insert = new NpgsqlCommand("""
                insert into rig.effects (job_id, cause_id, bond, attempt, live_attempt)
                values ($1, $2, $3, $4, (select attempt from platform.jobs where id = $1 and state = 'running'))
                """, connection)
            {
                Parameters = { new() { Value = context.JobId }, new() { Value = job.Cause },
                    new() { Value = job.Bond.ToString() }, new() { Value = context.Run } },
            };
            await insert.ExecuteNonQueryAsync(ct);
        }
        if (job.Bond is Bond.Completed && misdeed.Mutant is not (Mutant.NoFence or Mutant.CompleteFirst))
        {
            await context.CompleteAsync(connection, ct);
        }
        await transaction.CommitAsync(ct);
    }
}

internal sealed class SharedHandler(NpgsqlDataSource source, TimeProvider time) : IJobHandler<Shared>
{
    public async Task RunAsync(Shared job, JobContext context, CancellationToken ct)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(60)), time, ct);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var insert = new NpgsqlCommand("""
            insert into rig.effects (job_id, cause_id, bond, attempt, live_attempt)
            values ($1, $2, 'Completed', $3, (select attempt from platform.jobs where id = $1 and state = 'running'))
            """, connection)
        {
            Parameters = { new() { Value = context.JobId }, new() { Value = job.Cause }, new() { Value = context.Run } },
        };
        await insert.ExecuteNonQueryAsync(ct);
        await context.CompleteAsync(connection, ct);
        await transaction.CommitAsync(ct);
    }
}

/// <summary>Looks how far the requests of its key have come: what was asked before it started, it has done.</summary>
internal sealed class MergedHandler(NpgsqlDataSource source, TimeProvider time) : IJobHandler<Merged>
{
    public async Task RunAsync(Merged job, JobContext context, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var look = new NpgsqlCommand("select coalesce(max(number), 0) from rig.requests where key = $1", connection)
        {
            Parameters = { new() { Value = job.Key } },
        };
        var number = (long)(await look.ExecuteScalarAsync(ct))!;
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(100)), time, ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var insert = new NpgsqlCommand("insert into rig.seen (key, number) values ($1, $2)", connection)
        {
            Parameters = { new() { Value = job.Key }, new() { Value = number } },
        };
        await insert.ExecuteNonQueryAsync(ct);
        await context.CompleteAsync(connection, ct);
        await transaction.CommitAsync(ct);
    }
}

internal sealed class SlotHandler : IJobHandler<Slot>
{
    public Task RunAsync(Slot job, JobContext context, CancellationToken ct) => Task.CompletedTask;
}

/// <summary>Notes when it began.</summary>
/// <summary>Runs until it is stopped.</summary>
internal sealed class EndlessHandler(TimeProvider time) : IJobHandler<Endless>
{
    public Task RunAsync(Endless job, JobContext context, CancellationToken ct) => Task.Delay(Timeout.InfiniteTimeSpan, time, ct);
}

internal sealed class NoOpHandler(ConcurrentDictionary<int, long> starts) : IJobHandler<NoOp>
{
    public Task RunAsync(NoOp job, JobContext context, CancellationToken ct)
    {
        starts[job.Number] = Stopwatch.GetTimestamp();
        return Task.CompletedTask;
    }
}
