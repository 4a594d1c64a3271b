using System.Text;
using Npgsql;
using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs;

/// <summary>What people see of jobs. What they do to them is in <see cref="JobActs"/>.</summary>
public sealed class JobStore
{
    private const int LongestPage = 500;

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

    /// <summary>Newest first. Ids grow with time, so the next page begins before the last id of this one.</summary>
    public async Task<List<JobRow>> ListAsync(JobFilter filter, CancellationToken ct)
    {
        await using var command = source.CreateCommand();
        var where = Where(filter, command.Parameters);
        var open = filter.States.Count == 0 || filter.States.Any(state => state < JobState.Succeeded);
        var finished = filter.States.Count == 0 || filter.States.Any(state => state >= JobState.Succeeded);
        List<string> parts = [];
        if (open)
        {
            var rows = filter.Text is null ? "platform.jobs" : "(select * from platform.jobs order by id desc limit 10000) newest";
            parts.Add($"(select {JobRow.Open} from {rows} where {where} order by id desc limit @limit)");
        }
        if (finished)
        {
            var dead = filter.Text is not null || filter.Fingerprint is not null ? "state = 'dead' and " : "";
            parts.Add($"(select {JobRow.Finished} from platform.finished_jobs where {dead}{where} order by id desc limit @limit)");
        }
        command.CommandText = $"select * from ({string.Join(" union all ", parts)}) page order by id desc limit @limit";
        command.Parameters.AddWithValue("limit", Math.Clamp(filter.Limit, 1, LongestPage));
        await using var reader = await command.ExecuteReaderAsync(ct);
        List<JobRow> jobs = [];
        while (await reader.ReadAsync(ct))
        {
            jobs.Add(JobRow.Read(reader));
        }
        return jobs;
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
            DateTimeOffset? pausedAt = rows.IsDBNull(6) ? null : rows.GetFieldValue<DateTimeOffset>(6);
            overview.Add(new(
                kind, rows.GetInt64(1), rows.GetInt64(2), rows.GetInt64(3), rows.GetInt64(4), rows.GetTimeSpan(5), pausedAt,
                rows.IsDBNull(7) ? null : rows.GetString(7), rows.IsDBNull(8) ? null : rows.GetFieldValue<DateTimeOffset>(8), lateAfter,
                pausedAt is null && !rows.IsDBNull(9) && rows.GetTimeSpan(9) > lateAfter));
        }
        return overview;
    }

    private string Where(JobFilter filter, NpgsqlParameterCollection parameters)
    {
        var where = new StringBuilder(filter.Scope is null ? "true" : JobScope.Condition);
        filter.Scope?.AddTo(parameters);
        Add(filter.OrganizationId, "organization_id = @organization", "organization");
        Add(filter.KeyId, "key_id = @key", "key");
        Add(filter.CreatedBy, "created_by = @creator", "creator");
        Add(filter.PersonId, "person_id = @person", "person");
        Add(filter.Tenant, "tenant = @tenant", "tenant");
        Add(filter.Kind, "kind = @kind", "kind");
        Add(filter.MinAttempts, "attempt - snoozed >= @attempts", "attempts");
        Add(filter.Fingerprint, "fingerprint = @fingerprint", "fingerprint");
        Add(filter.Text, "to_tsvector('simple', coalesce(error, '') || ' ' || args::text) @@ plainto_tsquery('simple', @text)", "text");
        if (filter.Text is not null)
        {
            // A search that finds words of secret arguments would tell them.
            Add(kinds.All.Where(kind => kind.Rules.IsSensitive).Select(kind => kind.Name).ToArray(), "kind <> all (@sensitive)", "sensitive");
        }
        Add(filter.BeforeId, "id < @before", "before");
        Add(FirstIdAt(filter.CreatedFrom), "id >= @first", "first");
        Add(FirstIdAt(filter.CreatedBefore), "id < @end", "end");
        if (filter.States.Count > 0)
        {
            Add(filter.States.Select(EnumNames<JobState>.Write).ToArray(), "state = any (@states)", "states");
        }
        return where.ToString();

        void Add(object? value, string condition, string name)
        {
            if (value is not null)
            {
                where.Append(" and ").Append(condition);
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
