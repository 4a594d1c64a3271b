using Npgsql;

namespace Stoa.Platform.Jobs;

/// <summary>
/// Rates that all nodes share: a bucket of permits that fills up evenly. It is one moment in one row, until when its permits are spoken
/// for, so there is nothing to fill up by a timer, and a bucket that is full needs no row.
/// </summary>
internal sealed class JobRates(NpgsqlDataSource source)
{
    private const string Take = """
        insert into platform.job_keys as bucket (kind, key, job_id, until) values ('rate permits', @name, @job, now() + @each)
        on conflict (kind, key) do update set job_id = excluded.job_id, until = greatest(bucket.until, now()) + @each
        where bucket.until <= now() + @per - @each
        """;

    // Whoever finds it empty gets in line, lest all come back at the same moment to find one permit. It is only a guess of when there
    // will be one: he asks again then.
    private const string Wait = """
        insert into platform.job_keys as line (kind, key, job_id, until)
        select 'rate line', @name, @job, until - @per + @each from platform.job_keys where kind = 'rate permits' and key = @name
        on conflict (kind, key) do update set job_id = excluded.job_id, until = greatest(line.until + @each, excluded.until)
        returning until - now()
        """;

    /// <summary>Null when a permit was taken, else how long to wait before asking again.</summary>
    public async Task<TimeSpan?> TakeAsync(Guid job, string name, int permits, TimeSpan per, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(permits, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(per, TimeSpan.Zero);
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
            Parameters = { new("name", name), new("job", job), new("per", per), new("each", per / permits) },
        };
    }
}
