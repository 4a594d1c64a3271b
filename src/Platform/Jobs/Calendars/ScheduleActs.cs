using Npgsql;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs.Calendars;

/// <summary>What people do to schedules; each act is in the audit.</summary>
public sealed class ScheduleActs
{
    private readonly NpgsqlDataSource source;
    private readonly ScheduleFiring firing;
    private readonly JobActs jobs;
    private readonly JobQueue queue;
    private readonly TimeProvider time;

    internal ScheduleActs(NpgsqlDataSource source, ScheduleFiring firing, JobActs jobs, JobQueue queue, TimeProvider time) =>
        (this.source, this.firing, this.jobs, this.queue, this.time) = (source, firing, jobs, queue, time);

    /// <summary>Slots pass without a run until it is resumed. To pause what is paused changes nothing.</summary>
    public Task PauseAsync(string name, string actor, CancellationToken ct) => ActAsync("schedule.pause", name, actor, async connection =>
    {
        if (await LockAsync(connection, name, ct) is { PausedAt: null })
        {
            await UpdateAsync(connection, "paused_at = $2, paused_by = $3", name, actor, ct);
        }
    }, ct);

    /// <summary>From the next slot on: those of the pause are not made up for.</summary>
    public Task ResumeAsync(string name, string actor, CancellationToken ct) => ActAsync("schedule.resume", name, actor, async connection =>
    {
        if (await LockAsync(connection, name, ct) is { PausedAt: not null })
        {
            await UpdateAsync(
                connection, "paused_at = null, paused_by = nullif($3, $3), last_slot = greatest(last_slot, $2)", name, actor, ct);
        }
    }, ct);

    /// <summary>Runs it once now, beside its slots and also while it is paused; answers the job.</summary>
    /// <exception cref="Failure">Not found, or a conflict: its last run is not over and it does not overlap.</exception>
    public async Task<Guid> RunAsync(string name, string actor, CancellationToken ct)
    {
        var job = Guid.Empty;
        await ActAsync("schedule.run", name, actor, async connection => job = await firing.RunNowAsync(connection, name, ct), ct);
        queue.Wake();
        return job;
    }

    private async Task ActAsync(string act, string name, string actor, Func<NpgsqlConnection, Task> work, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await work(connection);
        await jobs.AuditAsync(connection, act, $"schedule:{name}", null, actor, ct);
        await transaction.CommitAsync(ct);
    }

    private static async Task<ScheduleRow> LockAsync(NpgsqlConnection connection, string name, CancellationToken ct) =>
        await ScheduleStore.LockAsync(connection, name, ct) ?? throw Failure.NotFound("Schedule");

    private async Task UpdateAsync(NpgsqlConnection connection, string change, string name, string actor, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"update platform.schedules set {change} where name = $1", connection)
        {
            Parameters = { new() { Value = name }, new() { Value = time.GetUtcNow() }, new() { Value = actor } },
        };
        await command.ExecuteNonQueryAsync(ct);
    }
}
