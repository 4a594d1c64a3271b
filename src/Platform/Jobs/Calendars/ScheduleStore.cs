using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs.Calendars;

/// <summary>A schedule with what became of it so far.</summary>
/// <param name="LastSlot">The newest slot that was decided on; older ones are never run again.</param>
/// <param name="PausedBy">Who paused it, as the audit names him.</param>
public sealed record ScheduleRow(
    Schedule Schedule,
    DateTimeOffset LastSlot,
    DateTimeOffset? LastFiredAt,
    Guid? LastJobId,
    DateTimeOffset? PausedAt,
    string? PausedBy)
{
    public DateTimeOffset? Next(DateTimeOffset now) =>
        PausedAt is null ? Schedule.Timetable.Next(now > LastSlot ? now : LastSlot) : null;
}

/// <summary>The rows of <c>platform.schedules</c>.</summary>
public sealed class ScheduleStore(NpgsqlDataSource source, TimeProvider time)
{
    private const string Columns = """
        name, kind, arguments::text, cron, every_seconds, zone, missed, reach_seconds, overlap,
        last_slot, last_fired_at, last_job_id, paused_at, paused_by
        """;

    // By the database's clock: a worker whose own is wrong forgets nothing.
    private const string Keep = """
        with kept as (
          update platform.schedules set declared_at = now() where name = any ($1) and declared_at < now() - interval '1 hour'
        )
        delete from platform.schedules where name <> all ($1) and declared_at < now() - interval '1 day'
        """;

    /// <summary>
    /// Makes the table say what the modules declare. A schedule that is new, or goes by another timetable than before, begins now:
    /// it owes nothing for the past. What others declare stays: during an upgrade that may be a newer version.
    /// </summary>
    internal async Task ReconcileAsync(IReadOnlyList<Schedule> declared, CancellationToken ct)
    {
        // One transaction, as a batch without an explicit one is.
        await using var batch = source.CreateBatch();
        foreach (var schedule in declared)
        {
            batch.BatchCommands.Add(Declare(schedule));
        }
        await batch.ExecuteNonQueryAsync(ct);
        await KeepAsync(declared, ct);
    }

    /// <summary>Says that somebody still declares these, and forgets what nobody has declared for a day.</summary>
    internal async Task KeepAsync(IReadOnlyList<Schedule> declared, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Keep);
        command.Parameters.Add(new() { Value = declared.Select(schedule => schedule.Name).ToArray() });
        await command.ExecuteNonQueryAsync(ct);
    }

    public async Task<List<ScheduleRow>> ListAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand($"select {Columns} from platform.schedules order by name");
        return await ReadAsync(command, ct);
    }

    /// <summary>The row, which nobody else changes until the transaction of the connection ends.</summary>
    internal static async Task<ScheduleRow?> LockAsync(NpgsqlConnection connection, string name, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"select {Columns} from platform.schedules where name = $1 for update", connection)
        {
            Parameters = { new() { Value = name } },
        };
        return (await ReadAsync(command, ct)).SingleOrDefault();
    }

    /// <summary>Notes that the slots up to this one are decided, and the job that came of it, if any.</summary>
    internal static async Task AdvanceAsync(
        NpgsqlConnection connection, string name, DateTimeOffset slot, DateTimeOffset now, Guid? job, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            update platform.schedules set
              last_slot = $2, last_fired_at = case when $4 is null then last_fired_at else $3 end, last_job_id = coalesce($4, last_job_id)
            where name = $1
            """, connection)
        {
            Parameters = { new() { Value = name }, new() { Value = slot }, new() { Value = now }, Nullable(job, NpgsqlDbType.Uuid) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    private NpgsqlBatchCommand Declare(Schedule schedule) => new("""
        insert into platform.schedules as old
          (name, kind, arguments, cron, every_seconds, zone, missed, reach_seconds, overlap, last_slot, declared_at)
        values ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, $9, $10, now())
        on conflict (name) do update set
          kind = excluded.kind, arguments = excluded.arguments, cron = excluded.cron, every_seconds = excluded.every_seconds,
          zone = excluded.zone, missed = excluded.missed, reach_seconds = excluded.reach_seconds, overlap = excluded.overlap,
          declared_at = excluded.declared_at,
          last_slot = case
            when (old.cron, old.every_seconds, old.zone) is distinct from (excluded.cron, excluded.every_seconds, excluded.zone)
            then greatest(old.last_slot, excluded.last_slot)
            else old.last_slot end
        """)
    {
        Parameters =
        {
            new() { Value = schedule.Name }, new() { Value = schedule.Kind }, new() { Value = schedule.Arguments },
            Nullable(schedule.Timetable.Cron, NpgsqlDbType.Text),
            Nullable((int?)schedule.Timetable.Every?.TotalSeconds, NpgsqlDbType.Integer),
            new() { Value = schedule.Timetable.Zone.Id }, new() { Value = EnumNames<MissedRuns>.Write(schedule.Missed) },
            new() { Value = (int)schedule.Reach.TotalSeconds }, new() { Value = EnumNames<Overlap>.Write(schedule.Overlap) },
            new() { Value = time.GetUtcNow() },
        },
    };

    private static NpgsqlParameter Nullable(object? value, NpgsqlDbType type) =>
        new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };

    private static async Task<List<ScheduleRow>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var rows = new List<ScheduleRow>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            rows.Add(new(
                new(reader.GetString(0), reader.GetString(1), reader.GetString(2),
                    await reader.IsDBNullAsync(3, ct)
                        ? Timetable.ByInterval(TimeSpan.FromSeconds(reader.GetInt32(4)))
                        : Timetable.ByCron(reader.GetString(3), reader.GetString(5)),
                    EnumNames<MissedRuns>.Read(reader.GetString(6)), TimeSpan.FromSeconds(reader.GetInt32(7)),
                    EnumNames<Overlap>.Read(reader.GetString(8))),
                reader.GetFieldValue<DateTimeOffset>(9),
                await reader.GetFieldValueAsync<DateTimeOffset?>(10, ct),
                await reader.GetFieldValueAsync<Guid?>(11, ct),
                await reader.GetFieldValueAsync<DateTimeOffset?>(12, ct),
                reader.StringOrNull(13)));
        }
        return rows;
    }
}
