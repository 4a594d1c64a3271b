using Npgsql;

namespace Stoa.Platform.Jobs;

/// <summary>
/// Rates that all nodes share: a bucket of permits that fills up evenly. It is one moment in one row, until when its permits are spoken
/// for, so there is nothing to fill up by a timer, and a bucket that is full needs no row. And places, of which each is held by a run.
/// </summary>
internal sealed class JobRates(NpgsqlDataSource source)
{
    private const string Take = """
        insert into platform.job_keys as bucket (kind, key, job_id, until) values ('rate permits', @name, @job, now() + @each)
        on conflict (kind, key) do update set job_id = excluded.job_id, until = greatest(bucket.until, now()) + @each
        where bucket.until <= now() + @per - @each * (1 + @spare)
        """;

    // Whoever finds it empty gets in line, lest all come back at the same moment to find one permit. It is only a guess of when there
    // will be one: he asks again then. Who leaves some to others stands in a line of his own, so that they do not wait behind him.
    private const string Wait = """
        insert into platform.job_keys as line (kind, key, job_id, until)
        select 'rate line', @line, @job, until - @per + @each * (1 + @spare) from platform.job_keys
          where kind = 'rate permits' and key = @name
        on conflict (kind, key) do update set job_id = excluded.job_id, until = greatest(line.until + @each, excluded.until)
        returning until - now()
        """;

    private const string Owe = """
        insert into platform.job_keys as bucket (kind, key, job_id, until) values ('rate permits', @name, @job, now() + @each)
        on conflict (kind, key) do update set job_id = excluded.job_id, until = greatest(bucket.until, now()) + @each
        """;

    // One after the other for each name, and each sees what the one before has committed.
    private const string Gate = "select pg_advisory_xact_lock(hashtextextended($1, 1398106977))";

    // Counted from live runs, as limits of kinds are: who died holds no place.
    private const string Enter = """
        with live as materialized (
          select held.job_id from platform.job_keys held
            join platform.jobs j on j.id = held.job_id and j.state = 'running' where held.kind = @place
        ), gone as (
          delete from platform.job_keys held where held.kind = @place and held.job_id not in (select job_id from live)
        )
        insert into platform.job_keys (kind, key, job_id, until)
        select @place, @job::text, @job, now() + interval '1 day'
        where (select count(*) from live where job_id <> @job) < @places - @spare
        on conflict (kind, key) do update set until = excluded.until
        """;

    // A guess as well: nobody knows when a run ends. Each asks again a while after the one before him, at the latest after half a minute.
    private const string Queue = """
        insert into platform.job_keys as line (kind, key, job_id, until) values ('place line', @line, @job, now() + @gap)
        on conflict (kind, key) do update
          set job_id = excluded.job_id, until = least(greatest(line.until, now()) + @gap, now() + interval '30 seconds')
        returning until - now()
        """;

    private const string Leave = "delete from platform.job_keys where kind = @place and key = @job::text";

    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(500);

    /// <summary>Null when a permit was taken, else how long to wait before asking again.</summary>
    /// <param name="spare">So many permits are left to others.</param>
    public async Task<TimeSpan?> TakeAsync(Guid job, string name, int permits, TimeSpan per, int spare, CancellationToken ct)
    {
        Check(permits, per, spare);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var take = Command(Take);
        if (await take.ExecuteNonQueryAsync(ct) == 1)
        {
            return null;
        }
        await using var wait = Command(Wait);
        return await wait.ExecuteScalarAsync(ct) as TimeSpan? ?? per / permits;

        NpgsqlCommand Command(string sql) => new(sql, connection)
        {
            Parameters =
            {
                new("name", name), new("job", job), new("per", per), new("each", per / permits),
                new("spare", spare), new("line", LineOf(name, spare)),
            },
        };
    }

    /// <summary>Takes a permit whether there is one or not: others wait the longer for theirs.</summary>
    public async Task OweAsync(Guid job, string name, int permits, TimeSpan per, CancellationToken ct)
    {
        Check(permits, per, spare: 0);
        await using var owe = source.CreateCommand(Owe);
        owe.Parameters.Add(new("name", name));
        owe.Parameters.Add(new("job", job));
        owe.Parameters.Add(new("each", per / permits));
        await owe.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Null when the run has a place, which it keeps until it leaves or ends; else how long to wait before asking again.</summary>
    /// <param name="spare">So many places are left to others.</param>
    public async Task<TimeSpan?> EnterAsync(Guid job, string name, int places, int spare, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(places, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(spare, places);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var enter = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(Gate) { Parameters = { new() { Value = PlaceOf(name) } } },
                new(Enter) { Parameters = { new("place", PlaceOf(name)), new("job", job), new("places", places), new("spare", spare) } },
            },
        };
        if (await enter.ExecuteNonQueryAsync(ct) == 1)
        {
            return null;
        }
        await using var queue = new NpgsqlCommand(Queue, connection)
        {
            Parameters = { new("line", LineOf(name, spare)), new("job", job), new("gap", Gap / places) },
        };
        return (TimeSpan)(await queue.ExecuteScalarAsync(ct))!;
    }

    public async Task LeaveAsync(Guid job, string name, CancellationToken ct)
    {
        await using var leave = source.CreateCommand(Leave);
        leave.Parameters.Add(new("place", PlaceOf(name)));
        leave.Parameters.Add(new("job", job));
        await leave.ExecuteNonQueryAsync(ct);
    }

    private static string PlaceOf(string name) => $"places of {name}";

    private static string LineOf(string name, int spare) => spare == 0 ? name : $"{name} (leaves some)";

    private static void Check(int permits, TimeSpan per, int spare)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(permits, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(per, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(spare, permits);
    }
}
