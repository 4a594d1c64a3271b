using System.Globalization;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs.Calendars;

/// <summary>
/// Turns slots into jobs. The row of the schedule is locked, what is due is decided, its jobs are enqueued and the newest slot is
/// noted in one transaction: whoever comes second finds nothing due.
/// </summary>
internal sealed class ScheduleFiring(
    IEnumerable<Schedule> declared, NpgsqlDataSource source, ScheduleStore store, JobKinds kinds, JobQueue queue, JobActs acts,
    IOptions<CalendarOptions> options, TimeProvider time)
{
    // Of other versions of the program there may be more, or ones that this version no longer wants.
    private readonly HashSet<string> ours = [.. declared.Select(schedule => schedule.Name)];

    // A second line: should a slot ever be decided on twice, its key is still taken.
    private static readonly TimeSpan KeyKept = TimeSpan.FromDays(1);

    private TimeSpan Late => TimeSpan.FromSeconds(options.Value.LateSeconds);

    /// <summary>Schedules of this version with a slot to make up for.</summary>
    public async Task<IEnumerable<string>> BehindAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        return from row in await store.ListAsync(ct)
               where ours.Contains(row.Schedule.Name) && row.PausedAt is null && row.Schedule.Due(row.LastSlot, now, Late).Count > 0
               select row.Schedule.Name;
    }

    /// <summary>Enqueues what is due; answers the slots that it decided on.</summary>
    public async Task<IReadOnlyList<DateTimeOffset>> FireAsync(string name, DateTimeOffset now, CancellationToken ct)
    {
        if (!ours.Contains(name))
        {
            // Whoever declares it sweeps.
            return [];
        }
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await ScheduleStore.LockAsync(connection, name, ct) is not { PausedAt: null } row
            || row.Schedule.Due(row.LastSlot, now, Late) is not { Count: > 0 } due
            || kinds.Find(row.Schedule.Kind) is not { } kind)
        {
            // Another version declares it with a kind that only that one knows: it sweeps.
            return [];
        }
        JobReceipt? newest = null;
        foreach (var slot in due)
        {
            newest = await EnqueueAsync(connection, row.Schedule, kind, slot, JobOwner.System with { CreatedBy = CreatorOf(name) }, ct);
        }
        await ScheduleStore.AdvanceAsync(connection, name, due[^1], now, newest is { IsNew: true } ? newest.Id : null, ct);
        await transaction.CommitAsync(ct);
        queue.Wake();
        return due;
    }

    /// <summary>Runs it once now, beside its slots and also while it is paused.</summary>
    /// <exception cref="Failure">Not found, or a conflict: its last run is not over and it does not overlap.</exception>
    public async Task<Guid> RunNowAsync(NpgsqlConnection connection, string name, CancellationToken ct)
    {
        var row = await ScheduleStore.LockAsync(connection, name, ct) ?? throw Failure.NotFound("Schedule");
        var kind = kinds.Find(row.Schedule.Kind)
            ?? throw new Failure(
                FailureKind.Conflict, "kind_not_known", $"This version of the host has no jobs of the kind {row.Schedule.Kind}");
        var now = time.GetUtcNow();
        var receipt = await EnqueueAsync(connection, row.Schedule, kind, now, JobOwner.System with { CreatedBy = CreatorOf(name) }, ct);
        if (!receipt.IsNew)
        {
            throw new Failure(FailureKind.Conflict, "schedule_running", "Its last run is not over yet");
        }
        await ScheduleStore.AdvanceAsync(connection, name, row.LastSlot, now, receipt.Id, ct);
        return receipt.Id;
    }

    internal static string CreatorOf(string schedule) => $"schedule:{schedule}";

    private async Task<JobReceipt> EnqueueAsync(
        NpgsqlConnection connection, Schedule schedule, JobKind kind, DateTimeOffset slot, JobOwner owner, CancellationToken ct)
    {
        var key = CreatorOf(schedule.Name);
        var slotKey = $"{key}@{slot.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFZ", CultureInfo.InvariantCulture)}";
        var options = new EnqueueOptions { Owner = owner, CorrelationId = slotKey };
        options = schedule.Overlap switch
        {
            Overlap.Skip => options with { UniqueKey = key },
            Overlap.BufferOne => options with { UniqueKey = key, UniqueMode = UniqueMode.Coalesce },
            Overlap.Allow => options with { UniqueKey = slotKey, UniqueFor = KeyKept },
            Overlap.CancelPrevious => options with
            {
                UniqueKey = slotKey, UniqueFor = KeyKept,
                After = await CancelEarlierAsync(connection, schedule, ct), AfterOutcome = AfterOutcome.Finished,
            },
        };
        var job = new NewJob(kind, kind.Read(schedule.Arguments), options, Guid.CreateVersion7(time.GetUtcNow()), null);
        await queue.EnqueueAsync(connection, [job], ct);
        return job.Receipt;
    }

    /// <summary>Answers the one that still has to end, which the new run waits for.</summary>
    private async Task<Guid?> CancelEarlierAsync(NpgsqlConnection connection, Schedule schedule, CancellationToken ct)
    {
        // Each in a transaction of its own: should ours fail, the slot is still due, and cancels nothing twice.
        foreach (var job in await OpenAsync(connection, schedule, ct))
        {
            await acts.CancelAsync(job, null, CreatorOf(schedule.Name), ct);
        }
        return (await OpenAsync(connection, schedule, ct)) is [.., var newest] ? newest : null;
    }

    private static async Task<List<Guid>> OpenAsync(NpgsqlConnection connection, Schedule schedule, CancellationToken ct)
    {
        await using var command =
            new NpgsqlCommand("select id from platform.jobs where kind = $1 and created_by = $2 order by id", connection)
        {
            Parameters = { new() { Value = schedule.Kind }, new() { Value = CreatorOf(schedule.Name) } },
        };
        List<Guid> open = [];
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            open.Add(rows.GetGuid(0));
        }
        return open;
    }
}
