using System.Text;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Platform.Jobs;

/// <summary>What people see of jobs. What they do to them is in <see cref="JobActs"/>.</summary>
public sealed class JobStore
{
    /// <summary>So many jobs one call looks at, at most, when it searches for what no index knows.</summary>
    internal const int Window = 10_000;

    private const int LongestPage = 500;
    private const string Always = "true";
    private const string Words = "to_tsvector('simple', coalesce(error, '') || ' ' || args::text) @@ plainto_tsquery('simple', @text)";

    private readonly NpgsqlDataSource source;
    private readonly JobKinds kinds;

    internal JobStore(NpgsqlDataSource source, JobKinds kinds) => (this.source, this.kinds) = (source, kinds);

    /// <summary>Whether the kind keeps its arguments to itself.</summary>
    public bool IsSensitive(string kind) => kinds.Find(kind)?.Rules.IsSensitive is true;

    /// <summary>Null when there is none, or it lies outside the scope.</summary>
    /// <param name="scope">Null for an operator: any.</param>
    public async Task<JobRow?> FindAsync(Guid id, JobScope? scope, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        var allowed = scope is null ? "true" : JobScope.Condition;
        command.CommandText = $"""
            select {JobRow.Open} from platform.jobs where id = @id and {allowed}
            union all
            select {JobRow.Finished} from platform.finished_jobs where id = @id and {allowed}
            limit 1
            """;
        command.Parameters.AddWithValue("id", id);
        scope?.AddTo(command.Parameters);
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await rows.ReadAsync(ct) ? JobRow.Read(rows) : null;
    }

    /// <summary>
    /// Newest first, from <see cref="JobFilter.BeforeId"/> on. What no index answers is looked for among <see cref="Window"/> jobs at most:
    /// the page may then hold few or none though more fit further back, and its <c>Next</c> goes on from the last job that was looked at.
    /// </summary>
    public async Task<Listing<JobRow>> ListAsync(JobFilter filter, CancellationToken ct)
    {
        var limit = Math.Clamp(filter.Limit, 1, LongestPage);
        await using var command = source.CreateCommand();
        var (where, fits) = Conditions(filter, command.Parameters);
        List<string> parts = [];
        if (filter.States.Count == 0 || filter.States.Any(state => state < JobState.Succeeded))
        {
            parts.Add(Newest("platform.jobs", where));
        }
        if (filter.States.Count == 0 || filter.States.Any(state => state >= JobState.Succeeded))
        {
            parts.Add(Newest(
                "platform.finished_jobs", filter.Fingerprint is not null || IsOfDead(filter) ? $"state = 'dead' and {where}" : where));
        }
        command.CommandText = $"""
            with looked as materialized (
              select id, {fits} as fits from ({string.Join(" union all ", parts)}) newest order by id desc limit @window
            ), page as materialized (
              select id from looked where fits order by id desc limit @most
            )
            select job.*, (select id from looked order by id desc offset @window - 1 limit 1) as looked_to
            from (values (1)) always left join (
              select {JobRow.Open} from platform.jobs where id = any (array(select id from page))
              union all
              select {JobRow.Finished} from platform.finished_jobs where id = any (array(select id from page))
            ) job on true order by job.id desc
            """;
        command.Parameters.AddWithValue("most", limit + 1);
        command.Parameters.AddWithValue("window", fits == Always ? limit + 1 : Window);
        await using var reader = await command.ExecuteReaderAsync(ct);
        List<JobRow> jobs = [];
        Guid? lookedTo = null;
        while (await reader.ReadAsync(ct))
        {
            lookedTo = reader.GuidOrNull(JobRow.Width);
            if (!reader.IsDBNull(0))
            {
                jobs.Add(JobRow.Read(reader));
            }
        }
        return jobs.Count > limit ? new(jobs[..limit], jobs[limit - 1].Id) : new(jobs, lookedTo);

        static string Newest(string table, string where) => $"""
            (select id, error, args, attempt, snoozed, key_id, created_by, person_id, tenant from {table} where {where}
             order by id desc limit @window)
            """;
    }

    /// <summary>All kinds that are known or have jobs. Counts every unfinished job: not for each request of many.</summary>
    public async Task<IReadOnlyList<KindOverview>> OverviewAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            with depth as (
              select kind, count(*) filter (where state = 'available') as available, count(*) filter (where state = 'running') as running,
                count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'parked') as parked,
                min(run_at) filter (where state = 'available' and run_at <= now()) as oldest
              from platform.jobs group by kind
            )
            select kind, coalesce(available, 0), coalesce(running, 0), coalesce(waiting, 0), coalesce(parked, 0),
              coalesce(now() - oldest, interval '0'), paused_at, paused_by, succeeded_at, now() - coalesce(succeeded_at, known_at)
            from depth full join platform.job_kinds using (kind)
            order by kind
            """);
        await using var rows = await command.ExecuteReaderAsync(ct);
        List<KindOverview> overview = [];
        while (await rows.ReadAsync(ct))
        {
            var kind = rows.GetString(0);
            var lateAfter = kinds.Find(kind)?.Rules.LateAfter;
            var pausedAt = rows.InstantOrNull(6);
            overview.Add(new(
                kind, rows.GetInt64(1), rows.GetInt64(2), rows.GetInt64(3), rows.GetInt64(4), rows.GetTimeSpan(5), pausedAt,
                rows.StringOrNull(7), rows.InstantOrNull(8), lateAfter,
                pausedAt is null && !rows.IsDBNull(9) && rows.GetTimeSpan(9) > lateAfter));
        }
        return overview;
    }

    // Words are indexed of these alone.
    private static bool IsOfDead(JobFilter filter) => filter.States is [JobState.Dead];

    /// <summary>What an index answers, and what must be looked at job by job.</summary>
    private (string Where, string Fits) Conditions(JobFilter filter, NpgsqlParameterCollection parameters)
    {
        var where = new StringBuilder(filter.Scope is null ? Always : JobScope.Condition);
        var fits = new StringBuilder(Always);
        filter.Scope?.AddTo(parameters);
        Add(where, filter.OrganizationId, "organization_id = @organization", "organization");
        Add(where, filter.Kind, "kind = @kind", "kind");
        Add(where, filter.Fingerprint, "fingerprint = @fingerprint", "fingerprint");
        Add(where, filter.BeforeId, "id < @before", "before");
        Add(where, FirstIdAt(filter.CreatedFrom), "id >= @first", "first");
        Add(where, FirstIdAt(filter.CreatedBefore), "id < @end", "end");
        if (filter.States.Count > 0)
        {
            Add(where, filter.States.Select(EnumNames<JobState>.Write).ToArray(), "state = any (@states)", "states");
        }
        Add(fits, filter.KeyId, "key_id = @key", "key");
        Add(fits, filter.CreatedBy, "created_by = @creator", "creator");
        Add(fits, filter.PersonId, "person_id = @person", "person");
        Add(fits, filter.Tenant, "tenant = @tenant", "tenant");
        Add(fits, filter.MinAttempts, "attempt - snoozed >= @attempts", "attempts");
        if (filter.Text is not null)
        {
            Add(IsOfDead(filter) ? where : fits, filter.Text, Words, "text");
            // A search that finds words of secret arguments would tell them.
            Add(where, kinds.All.Where(kind => kind.Rules.IsSensitive).Select(kind => kind.Name).ToArray(),
                "kind <> all (@sensitive)", "sensitive");
        }
        return (where.ToString(), fits.ToString());

        void Add(StringBuilder conditions, object? value, string condition, string name)
        {
            if (value is not null)
            {
                conditions.Append(" and ").Append(condition);
                parameters.AddWithValue(name, value);
            }
        }
    }

    /// <summary>Ids are UUIDs of version 7: their first 48 bits are the milliseconds of their making.</summary>
    private static Guid? FirstIdAt(DateTimeOffset? at)
    {
        if (at is not { } instant)
        {
            return null;
        }
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        var milliseconds = Math.Max(0, instant.ToUnixTimeMilliseconds());
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, milliseconds << 16);
        return new(bytes, bigEndian: true);
    }
}
