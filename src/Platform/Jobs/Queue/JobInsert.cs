using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;

namespace Stoa.Platform.Jobs;

/// <summary>The statement that adds jobs: any number in one round trip, those with a unique key in a second.</summary>
internal static class JobInsert
{
    private const string Arriving = """
        select * from unnest(@ids, @kinds, @priorities, @run_ats, @delays, @args, @organizations, @persons, @keys, @tenants, @creators,
          @correlations, @traces, @replays, @max_attempts, @max_ages, @unique_keys, @unique_modes, @unique_fors, @unique_ins, @limit_keys,
          @afters, @after_outcomes)
          as t (id, kind, priority, run_at, delay, args, organization_id, person_id, key_id, tenant, created_by,
            correlation_id, trace_parent, replay_of, max_attempts, max_age, unique_key, unique_mode, unique_for, unique_in, limit_key,
            after_id, after_outcome)
        """;

    private const string Columns = """
        id, kind, state, priority, run_at, args, organization_id, person_id, key_id, tenant, created_by, correlation_id, trace_parent,
        replay_of, max_attempts, expires_at, unique_key, unique_mode, limit_key, after_id, after_outcome
        """;

    private const string Values = """
        id, kind, case when after_id is null then 'available' else 'waiting' end, priority,
        coalesce(run_at, now()) + coalesce(delay, interval '0'), args::jsonb, organization_id, person_id, key_id, tenant, created_by,
        correlation_id, trace_parent, replay_of, max_attempts, now() + max_age, unique_key, unique_mode, limit_key, after_id, after_outcome
        """;

    private const string Plain = $"insert into platform.jobs ({Columns}) select {Values} from ({Arriving}) arriving";

    // A key that is kept for a while lets one through in that while, or after an end that does not count; the others learn whose it is.
    // Whoever meets an unfinished holder of the key changes it as the mode says: then the row is locked until our commit, so it cannot
    // finish unseen.
    private const string Unique = $"""
        with arriving as materialized ({Arriving}),
        given_up as materialized (
          select held.job_id from arriving join platform.job_keys held on held.kind = arriving.kind and held.key = arriving.unique_key
          where unique_in is not null and not exists (select from platform.jobs where jobs.id = held.job_id)
            and not exists (
              select from platform.finished_jobs old where old.id = held.job_id and old.state = any (string_to_array(unique_in, ','))
            )
        ), kept as (
          insert into platform.job_keys as held (kind, key, job_id, until)
          select kind, unique_key, coalesce((
            select open.id from platform.jobs open where open.kind = arriving.kind and open.unique_key = arriving.unique_key
          ), id), now() + unique_for from arriving where unique_for is not null
          on conflict (kind, key) do update set job_id = excluded.job_id, until = excluded.until
          where held.until <= now() or held.job_id in (select job_id from given_up)
          returning kind, key
        ), added as (
          insert into platform.jobs as old ({Columns})
          select {Values} from arriving
          where unique_for is null or exists (select from kept where kept.kind = arriving.kind and kept.key = arriving.unique_key)
          on conflict (kind, unique_key) where unique_key is not null do update set
            args = case when excluded.unique_mode = 'replace' and old.state <> 'running' then excluded.args else old.args end,
            run_at = case when excluded.unique_mode = 'replace' and old.state <> 'running' then excluded.run_at else old.run_at end,
            priority = case when excluded.unique_mode = 'replace' and old.state <> 'running' then excluded.priority else old.priority end,
            next_args = case when excluded.unique_mode <> 'reject' and old.state = 'running' then excluded.args else old.next_args end
          returning kind, unique_key, id
        )
        select arriving.id, coalesce(added.id, held.job_id, arriving.id), added.id is not distinct from arriving.id
        from arriving
        left join added on added.kind = arriving.kind and added.unique_key = arriving.unique_key
        left join platform.job_keys held on added.id is null and held.kind = arriving.kind and held.key = arriving.unique_key
        """;

    private static readonly DateTimeOffset Latest = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Whether they are written at once. Others need a transaction to be written all or not at all.</summary>
    public static bool IsOneStatement(IReadOnlyList<NewJob> jobs) => jobs.Count == 1 || jobs.All(job => job.Options.UniqueKey is null);

    public static async Task WriteAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs, CancellationToken ct)
    {
        List<NewJob> plain = [];
        List<NewJob> unique = [];
        foreach (var job in jobs)
        {
            (job.Options.UniqueKey is null ? plain : unique).Add(job);
        }
        if (plain.Count > 0)
        {
            await using var insert = Command(connection, Plain, plain);
            await insert.ExecuteNonQueryAsync(ct);
        }
        // In the order of their keys, so that two callers with the same keys cannot wait for each other; and of jobs with the same key
        // one after the other, since a statement can meet a row only once.
        foreach (var round in Rounds(unique))
        {
            await using var insert = Command(connection, Unique, round);
            await using var rows = await insert.ExecuteReaderAsync(ct);
            var receipts = round.ToDictionary(job => job.Receipt.Id, job => job.Receipt);
            while (await rows.ReadAsync(ct))
            {
                var receipt = receipts[rows.GetGuid(0)];
                (receipt.Id, receipt.IsNew) = (rows.GetGuid(1), rows.GetBoolean(2));
            }
        }
    }

    /// <summary>
    /// The least and the greatest instant would be infinite in the database, which cannot reckon with them: a single such row would keep
    /// every node from claiming anything.
    /// </summary>
    private static DateTimeOffset? Finite(DateTimeOffset? at) => at is not { } instant ? null
        : instant < DateTimeOffset.UnixEpoch ? DateTimeOffset.UnixEpoch
        : instant > Latest ? Latest
        : instant.ToUniversalTime();

    private static IEnumerable<List<NewJob>> Rounds(List<NewJob> jobs) =>
        from job in jobs.GroupBy(job => (job.Kind.Name, job.Options.UniqueKey)).SelectMany(same => same.Index())
        group job.Item by job.Index into round
        orderby round.Key
        select round.OrderBy(job => job.Kind.Name, StringComparer.Ordinal)
            .ThenBy(job => job.Options.UniqueKey, StringComparer.Ordinal).ToList();

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, List<NewJob> jobs)
    {
        var command = new NpgsqlCommand(sql, connection);
        Add("ids", NpgsqlDbType.Uuid, job => job.Receipt.Id);
        Add("kinds", NpgsqlDbType.Text, job => job.Kind.Name);
        Add("priorities", NpgsqlDbType.Smallint, job => (short)job.Priority);
        Add("run_ats", NpgsqlDbType.TimestampTz, job => Finite(job.Options.RunAt));
        Add("delays", NpgsqlDbType.Interval, job => job.Options.Delay);
        Add("args", NpgsqlDbType.Text, job => job.Args);
        Add("organizations", NpgsqlDbType.Uuid, job => job.Options.Owner.OrganizationId);
        Add("persons", NpgsqlDbType.Uuid, job => job.Options.Owner.PersonId);
        Add("keys", NpgsqlDbType.Uuid, job => job.Options.Owner.KeyId);
        Add("tenants", NpgsqlDbType.Text, job => job.Tenant);
        Add("creators", NpgsqlDbType.Text, job => job.Options.Owner.CreatedBy);
        Add("correlations", NpgsqlDbType.Text, job => job.Options.CorrelationId);
        Add("traces", NpgsqlDbType.Text, job => job.TraceParent);
        Add("replays", NpgsqlDbType.Uuid, job => job.ReplayOf);
        Add("max_attempts", NpgsqlDbType.Integer, job => job.MaxAttempts);
        Add("max_ages", NpgsqlDbType.Interval, job => job.MaxAge);
        Add("unique_keys", NpgsqlDbType.Text, job => job.Options.UniqueKey);
        Add("unique_modes", NpgsqlDbType.Text,
            job => job.Options.UniqueKey is null ? null : EnumNames<UniqueMode>.Write(job.Options.UniqueMode));
        Add("unique_fors", NpgsqlDbType.Interval, job => job.Options.UniqueFor);
        Add("unique_ins", NpgsqlDbType.Text, job => job.UniqueIn);
        Add("limit_keys", NpgsqlDbType.Text, job => job.LimitKey);
        Add("afters", NpgsqlDbType.Uuid, job => job.Options.After);
        Add("after_outcomes", NpgsqlDbType.Text,
            job => job.Options.After is null ? null : EnumNames<AfterOutcome>.Write(job.Options.AfterOutcome));
        return command;

        void Add<T>(string name, NpgsqlDbType type, Func<NewJob, T> value) =>
            command.Parameters.Add(new NpgsqlParameter<T[]>(name, NpgsqlDbType.Array | type) { TypedValue = [.. jobs.Select(value)] });
    }
}
